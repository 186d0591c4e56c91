"""Checksums as S3 knows them. CRCs of neighbouring parts combine to the CRC of the whole; SHA-256 does not."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from awscrt import checksums as crt  # type: ignore[import-untyped, unused-ignore]

Bytes = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One algorithm: S3's names for it, and how to calculate it."""

    name: str
    """`crc64nvme`, as options and receipts write it."""
    constant: str
    """`CRC64NVME`, as S3's `ChecksumAlgorithm`."""
    parameter: str
    """`ChecksumCRC64NVME`, as boto3's parameter for a value, and the field of its answers."""
    width: int = 0
    """Bytes of a CRC; 0 for a hash."""
    crc: Callable[[Bytes, int], int] | None = None
    combine: Callable[[int, int, int], int] | None = None

    @property
    def full_object(self) -> bool:
        """Whether a multipart object can carry one checksum over all its bytes."""
        return self.combine is not None


ALGORITHMS = {
    algorithm.name: algorithm
    for algorithm in (
        Algorithm("crc64nvme", "CRC64NVME", "ChecksumCRC64NVME", 8, crt.crc64nvme, crt.combine_crc64nvme),
        Algorithm("crc32", "CRC32", "ChecksumCRC32", 4, zlib.crc32, crt.combine_crc32),
        Algorithm("crc32c", "CRC32C", "ChecksumCRC32C", 4, crt.crc32c, crt.combine_crc32c),
        Algorithm("sha256", "SHA256", "ChecksumSHA256"),
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
        self._hash = None if algorithm.crc else hashlib.sha256()

    def update(self, data: Bytes) -> None:
        """Take the next bytes."""
        self.length += len(data)
        if self._hash is not None:
            self._hash.update(data)
        elif self.algorithm.crc is not None:
            self._crc = self.algorithm.crc(data, self._crc)

    @property
    def raw(self) -> bytes:
        """The value as bytes, big-endian."""
        return self._hash.digest() if self._hash is not None else self._crc.to_bytes(self.algorithm.width, "big")

    @property
    def digest(self) -> str:
        """The value in base64, as S3 writes it."""
        return base64.b64encode(self.raw).decode("ascii")


def checksum_of(algorithm: Algorithm, data: Bytes) -> Checksum:
    """The checksum of some bytes."""
    checksum = Checksum(algorithm)
    checksum.update(data)
    return checksum


def whole(parts: Iterable[Checksum]) -> str:
    """The checksum of a multipart object from those of its parts, in order and at least one, as S3 writes it.

    CRCs give the value over all bytes (full object). SHA-256 gives the hash of the hashes, with `-` and the number of parts
    (composite). The parts may have been calculated in any order.
    """
    ordered = list(parts)
    algorithm = ordered[0].algorithm
    if algorithm.combine is None:
        composite = hashlib.sha256(b"".join(part.raw for part in ordered)).digest()
        return f"{base64.b64encode(composite).decode('ascii')}-{len(ordered)}"
    crc = 0
    for part in ordered:
        crc = algorithm.combine(crc, int.from_bytes(part.raw, "big"), part.length)
    return base64.b64encode(crc.to_bytes(algorithm.width, "big")).decode("ascii")
