"""What the first bytes of a file give away, whichever ffmpeg looks later: pictures, lists of other files, MP4 that is encrypted."""

from __future__ import annotations

import re
from typing import BinaryIO

HEAD = 64
"""Bytes at the beginning that tell."""

_PICTURES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"\0\0\x01\0")
_PICTURE_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"})
_LISTS = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:#EXTM3U|ffconcat version|<\?xml|<MPD)")
_PROTECTED = re.compile(rb"enc[va]\0{6}")
"""A sample entry of an encrypted track (ISO 14496-12, 8.12): its name, then six reserved bytes."""
_LARGEST_INDEX = 64 << 20
_MOST_BOXES = 1000
"""In front of the index; fragments come behind it."""


def is_picture(head: bytes) -> bool:
    """Whether the file is a still or animated image."""
    return head.startswith(_PICTURES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP") or _brand(head) in _PICTURE_BRANDS


def is_list(head: bytes) -> bool:
    """Whether the file is a text that names other files: a playlist, a concat script, a manifest."""
    return _LISTS.match(head) is not None


def is_mp4(head: bytes) -> bool:
    """Whether the file begins as MP4 and MOV do."""
    return head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"}


def is_encrypted(file: BinaryIO) -> bool:
    """Whether an MP4 says that its samples are encrypted, which ffmpeg does not mention."""
    return _PROTECTED.search(_index(file)) is not None


def _brand(head: bytes) -> bytes:
    return head[8:12] if head[4:8] == b"ftyp" else b""


def _index(file: BinaryIO) -> bytes:
    """What the `moov` box at the top holds, empty if there is none."""
    at = 0
    for _ in range(_MOST_BOXES):
        file.seek(at)
        header = file.read(16)
        length, first = int.from_bytes(header[:4], "big"), 8
        if length == 1:
            length, first = int.from_bytes(header[8:16], "big"), 16
        if header[4:8] == b"moov":
            file.seek(at + first)
            return file.read(min(length - first, _LARGEST_INDEX) if length else _LARGEST_INDEX)
        if length < first:  # it goes on to the end of the file, or is none
            break
        at += length
    return b""
