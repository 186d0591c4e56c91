"""Checksums as S3 knows them. CRCs of neighbouring parts combine to the CRC of the whole; SHA-256 does not."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from importlib import import_module

Bytes = bytes | bytearray | memoryview

_LIBRARY = "awscrt.checksums"
"""Large, and slow to load."""


class Algorithm:
    """One algorithm: S3's names for it, and how to calculate it."""

    def __init__(self, name: str, width: int = 0, polynomial: int = 0) -> None:
        """`polynomial` is that of a CRC, its bits reversed, as the catalogues of CRCs give it."""
        self.name = name
        """`crc64nvme`, as options and receipts write it."""
        self.width = width
        """Bytes of a CRC; 0 for a hash."""
        self._polynomial = polynomial

    @property
    def constant(self) -> str:
        """`CRC64NVME`, as S3's `ChecksumAlgorithm`."""
        return self.name.upper()

    @cached_property
    def header(self) -> str:
        """`x-amz-checksum-crc64nvme`, the HTTP header of a value."""
        return f"x-amz-checksum-{self.name}"

    @property
    def full_object(self) -> bool:
        """Whether a multipart object can carry one checksum over all its bytes."""
        return self.width > 0

    @cached_property
    def crc(self) -> Callable[[Bytes, int], int]:
        """The CRC of bytes that follow others, from theirs. The library that has it is imported when it is wanted first."""
        if self.name == "crc32":
            return zlib.crc32
        crc: Callable[[Bytes, int], int] = getattr(import_module(_LIBRARY), self.name)
        return crc

    def combine(self, crc: int, following: int, length: int) -> int:
        """The CRC of two neighbours from theirs, and the length of the second in bytes.

        Without the library: it takes longer to load than a few thousand parts take to combine.
        """
        return _multiplied(_shift(length, self._polynomial, self.width * 8), crc, self._polynomial, self.width * 8) ^ following


def _multiplied(one: int, other: int, polynomial: int, bits: int) -> int:
    """The product of two polynomials over GF(2), modulo a third; the highest bit is the coefficient of x^0."""
    product = 0
    for place in range(bits - 1, -1, -1):
        if one >> place & 1:
            product ^= other
        other = other >> 1 ^ polynomial if other & 1 else other >> 1
    return product


@lru_cache(64)
def _shift(length: int, polynomial: int, bits: int) -> int:
    """x^(8 * length), by which a CRC is multiplied when so many bytes follow; nearly all parts of an object have one length."""
    power, square = 1 << bits - 1, 1 << bits - 9  # 1 and x^8
    while length:
        if length & 1:
            power = _multiplied(power, square, polynomial, bits)
        square = _multiplied(square, square, polynomial, bits)
        length >>= 1
    return power


DEFAULT = "crc64nvme"
ALGORITHMS = {
    algorithm.name: algorithm
    for algorithm in (
        Algorithm(DEFAULT, 8, 0x9A6C9329AC4BC9B5),
        Algorithm("crc32", 4, 0xEDB88320),
        Algorithm("crc32c", 4, 0x82F63B78),
        Algorithm("sha256"),
    )
}


class Checksum:
    """A running checksum over bytes in order."""

    __slots__ = ("_crc", "_hash", "algorithm", "length")

    def __init__(self, algorithm: Algorithm) -> None:
        self.algorithm = algorithm
        self.length = 0
        """Bytes seen."""
        self._crc = 0
        self._hash = None if algorithm.full_object else hashlib.sha256()

    def update(self, data: Bytes) -> None:
        """Take the next bytes."""
        self.length += len(data)
        if self._hash is not None:
            self._hash.update(data)
        else:
            self._crc = self.algorithm.crc(data, self._crc)

    @property
    def raw(self) -> bytes:
        """The value as bytes, big-endian."""
        return self._hash.digest() if self._hash is not None else self._crc.to_bytes(self.algorithm.width, "big")

    @property
    def digest(self) -> str:
        """The value in base64, as S3 writes it."""
        return base64.b64encode(self.raw).decode("ascii")


def digest_of(algorithm: Algorithm, data: Bytes) -> str:
    """The checksum of some bytes in base64, as S3 writes it."""
    raw = algorithm.crc(data, 0).to_bytes(algorithm.width, "big") if algorithm.full_object else hashlib.sha256(data).digest()
    return base64.b64encode(raw).decode("ascii")


def whole_digest(algorithm: Algorithm, parts: Sequence[tuple[str, int]]) -> str:
    """The checksum of a multipart object from (digest, length) of its parts, in order and at least one, as S3 writes it.

    CRCs give the value over all bytes (full object). SHA-256 gives the hash of the hashes, with `-` and the number of parts
    (composite). The parts may have been calculated in any order.
    """
    raws = [base64.b64decode(digest) for digest, _ in parts]
    if not algorithm.full_object:
        composite = hashlib.sha256(b"".join(raws)).digest()
        return f"{base64.b64encode(composite).decode('ascii')}-{len(raws)}"
    crc = 0
    for raw, (_, length) in zip(raws, parts, strict=True):
        crc = algorithm.combine(crc, int.from_bytes(raw, "big"), length)
    return base64.b64encode(crc.to_bytes(algorithm.width, "big")).decode("ascii")
