"""How a player decrypts AES-128 (RFC 8216, 4.3.2.4 and 6.3.6)."""

from __future__ import annotations

from cryptography.hazmat.primitives import ciphers, padding

_BLOCK = 16


def whole(body: bytes, key: bytes, vector: bytes) -> bytes:
    """A segment. Raises ValueError when it is none that this key was used for."""
    unpadder = padding.PKCS7(8 * _BLOCK).unpadder()
    return unpadder.update(_decrypted(body, key, vector)) + unpadder.finalize()


def part(body: bytes, key: bytes, offset: int, length: int) -> bytes:
    """A range of a segment, of which only whole blocks are asked for, and one before them that stands for the vector."""
    first = offset // _BLOCK * _BLOCK - _BLOCK
    if first < 0:
        raise ValueError("the range begins in the first block")
    end = -(-(offset + length) // _BLOCK) * _BLOCK
    widened = _decrypted(body[first:end], key, b"any other vector")
    return widened[offset - first : offset - first + length]


def _decrypted(blocks: bytes, key: bytes, vector: bytes) -> bytes:
    decryptor = ciphers.Cipher(ciphers.algorithms.AES(key), ciphers.modes.CBC(vector)).decryptor()
    return decryptor.update(blocks) + decryptor.finalize()
