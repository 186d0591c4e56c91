"""What the process above orders of the crew, as both sides know it. Light, for the process above imports it at every start."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Wish(IntEnum):
    """What people want of a job: go on; admit nothing more; break off, too."""

    RUN = 0
    PAUSE = 1
    BREAK_OFF = 2


class Terms(NamedTuple):
    """What all files of one run have in common."""

    bucket: str
    checksum: str
    """Name of the algorithm."""
    headers: tuple[tuple[str, str], ...]
    """Header fields of every object, in lower case; without a content type, each key's own is guessed."""
    only_new: bool
    """Whether a key that is taken must be left alone."""
    max_attempts: int


class Item(NamedTuple):
    """One file to be sent whole."""

    no: int
    path: bytes
    key: str
    fingerprint: tuple[int, int, int]
    attempts: int
    unsure: bool


PlainItem = tuple[int, bytes, str, tuple[int, int, int], int, bool]
"""The same fields as a plain tuple, which is made faster and can travel."""


class Conduct(NamedTuple):
    """How this store wants to be spoken to, as far as it concerns a request with a body."""

    signed: tuple[str, ...]
    """Checksums with which the signature has to cover the body, too."""
    md5: tuple[str, ...] = ()
    """Checksums with which a Content-MD5 has to travel, because nothing else of ours is checked."""
    checksums: bool = True
    """Whether it bears `x-amz-checksum-` headers."""
    expects: bool = True
    """Whether large objects ask first."""


class PartOrder(NamedTuple):
    """A part of a large file."""

    target: tuple[str, str]
    path: bytes
    fingerprint: tuple[int, int, int]
    upload_id: str
    number: int
    offset: int
    length: int
    checksum: str
    max_attempts: int
    proves: bool
    """Whether the upload was begun with a checksum."""
