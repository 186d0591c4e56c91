"""Segments as only holders of a key can read them: each encrypted whole by AES-128, as RFC 8216 has it (4.3.2.4).

ffmpeg has no part in this: it writes plain segments, so that they can be read before they are encrypted, and never sees the key.
"""

from __future__ import annotations

import errno
import secrets
from pathlib import Path

from s3tui.errors import ConfigError, TranscodeError

_BLOCK = 16
_CHUNK = 1 << 20


class Cipher:
    """Encrypts the segments of one video.

    They have one vector, new for each video and told in its playlists. That of a playlist without one, the segment's number, would
    be the same in every video: where two of one key begin with the same titles, their segments would, too. Within a video no two
    segments of a rendition begin alike, because their first packets tell the time.
    """

    def __init__(self, key: bytes) -> None:
        """`key` has 16 bytes. Raises ConfigError when the library is missing."""
        try:
            from cryptography.hazmat.primitives import ciphers, padding
        except ImportError as error:
            raise ConfigError("Encryption needs a library that is not installed: pip install 's3tui[video]'.") from error
        self.vector = secrets.token_bytes(_BLOCK)
        """What the first block is mixed with: 16 bytes, no secret."""
        self._cipher = ciphers.Cipher(ciphers.algorithms.AES(key), ciphers.modes.CBC(self.vector))
        self._padding = padding.PKCS7(8 * _BLOCK)

    def encrypt(self, segment: Path) -> None:
        """Put the encrypted segment in the place of the plain one. Raises TranscodeError."""
        encrypted = segment.with_name(f"{segment.name}.aes")
        try:
            self._write(segment, encrypted)
            encrypted.replace(segment)
        except OSError as error:
            reason = "disk_full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "encoder_failed"
            cause = (error.strerror or "unknown error").lower()
            raise TranscodeError(
                f"The segment {segment.name} cannot be encrypted: {cause}. Look at its disk, then retry.", reason
            ) from error

    def _write(self, segment: Path, encrypted: Path) -> None:
        encryptor, padder = self._cipher.encryptor(), self._padding.padder()
        with segment.open("rb") as plain, encrypted.open("wb") as file:
            while chunk := plain.read(_CHUNK):
                file.write(encryptor.update(padder.update(chunk)))
            file.write(encryptor.update(padder.finalize()) + encryptor.finalize())


def encrypted_size(size: int) -> int:
    """How many bytes so many become: whole blocks, and at least one byte that says how many were added."""
    return size + _BLOCK - size % _BLOCK
