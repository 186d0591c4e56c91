"""What MPEG-TS says: formats, timing and the first picture's place, from the head of a segment (ISO 13818-1).

Packets are read until the first picture and the first sound are complete, at most `_LARGEST` bytes. Whatever the bytes are, the
answer is facts or TranscodeError (`incomplete`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from typing import BinaryIO

from s3tui.errors import TranscodeError
from s3tui.media.aac import read_header
from s3tui.media.formats import ByteRange, Formats, SegmentFacts
from s3tui.media.h264 import IDR, PARAMETERS, SLICE, read_parameters, unit_type

_PACKET = 188
_SYNC = 0x47
_LARGEST = 32 << 20
"""Bytes of a segment that are read to find its first picture."""
_CLOCK = 90_000
_H264, _AAC = 0x1B, 0x0F
"""Types of streams in a program map."""


class _Head:
    """The head of a segment: its program and the first complete access unit of each stream."""

    def __init__(self, file: BinaryIO) -> None:
        self._map_pid: int | None = None
        self.streams: dict[int, int] = {}
        """Type of stream by packet id."""
        self.units: dict[int, bytearray] = {}
        """The first elementary packet of each stream, as far as it is read."""
        self.begins: int | None = None
        """Where the program is described."""
        self.ends: dict[int, int] = {}
        """Where the last packet of each stream's first elementary packet ends."""
        self.closed: set[int] = set()
        """The streams whose first elementary packet is complete; at the end of the file all are."""
        for at, packet in _packets(file):
            self._take(at, packet)
            if self.streams and self.closed >= self.streams.keys():
                return
        if not file.read(1):
            self.closed.update(self.streams)

    def of_type(self, kind: int) -> int | None:
        """The first stream of this type."""
        return next((pid for pid, stream in self.streams.items() if stream == kind), None)

    def _take(self, at: int, packet: bytes) -> None:
        pid = (packet[1] & 0x1F) << 8 | packet[2]
        starts = bool(packet[1] & 0x40)
        payload = _payload(packet)
        if pid == 0 and starts and self._map_pid is None:
            self.begins = at
            self._map_pid = _map_pid(_section(payload))
        elif pid == self._map_pid and starts and not self.streams:
            self.streams = _streams(_section(payload))
        elif pid in self.streams and pid not in self.closed:
            if starts and pid in self.units:
                self.closed.add(pid)
            elif starts or pid in self.units:
                self.units.setdefault(pid, bytearray()).extend(payload)
                self.ends[pid] = at + _PACKET


def read_segment(file: BinaryIO) -> tuple[Formats, SegmentFacts]:
    """What the head of a segment says. A picture that is no key frame, and sound that has ended before, have no format in it."""
    try:
        head = _Head(file)
        size = file.seek(0, os.SEEK_END)
        picture, sound = head.of_type(_H264), head.of_type(_AAC)
        start = _elementary(head, sound if picture is None else picture)[0]
        audio = read_header(_elementary(head, sound)[1]) if sound in head.units else None
        if picture is None:
            return Formats(None, audio), SegmentFacts(size, start, None)
        nals = list(_nals(_elementary(head, picture)[1]))
        parameters = next((nal for nal in nals if unit_type(nal[0]) == PARAMETERS), None)
        video = read_parameters(parameters) if parameters else None
        begins = head.begins or 0
        key_frame = ByteRange(begins, head.ends[picture] - begins) if _begins_with_key_frame(nals) else None
    except (IndexError, ValueError) as error:
        raise TranscodeError(f"The encoder wrote an MPEG-TS segment that cannot be read ({error}).", "incomplete") from error
    return Formats(video, audio), SegmentFacts(size, start, key_frame)


def _packets(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    file.seek(0)
    for at in range(0, _LARGEST, _PACKET):
        packet = file.read(_PACKET)
        if not packet:
            return
        if len(packet) < _PACKET or packet[0] != _SYNC:
            raise ValueError(f"no packet at {at}")
        yield at, packet


def _payload(packet: bytes) -> bytes:
    control = packet[3] >> 4 & 3
    if not control & 1:
        return b""
    return packet[5 + packet[4] :] if control & 2 else packet[4:]


def _section(payload: bytes) -> bytes:
    """The table in a packet, without its checksum."""
    table = payload[1 + payload[0] :]
    return table[: max(0, 3 + ((table[1] & 0x0F) << 8 | table[2]) - 4)]


def _map_pid(table: bytes) -> int:
    """The packet id of the first program's map."""
    for at in range(8, len(table) - 3, 4):
        if table[at] or table[at + 1]:
            return (table[at + 2] & 0x1F) << 8 | table[at + 3]
    raise ValueError("no program")


def _streams(table: bytes) -> dict[int, int]:
    at = 12 + ((table[10] & 0x0F) << 8 | table[11])
    streams = {}
    while at + 5 <= len(table):
        if table[at] in (_H264, _AAC):
            streams[(table[at + 1] & 0x1F) << 8 | table[at + 2]] = table[at]
        at += 5 + ((table[at + 3] & 0x0F) << 8 | table[at + 4])
    if not streams:
        raise ValueError("a program of nothing")
    return streams


def _elementary(head: _Head, pid: int | None) -> tuple[Fraction, bytes]:
    """Decoding time in seconds and payload of the first elementary packet of a stream."""
    if pid is None or pid not in head.units:
        raise ValueError("no picture and no sound")
    if pid not in head.closed:
        raise ValueError(f"nothing complete in {_LARGEST} bytes")
    packet = bytes(head.units[pid])
    if packet[:3] != b"\0\0\1":
        raise ValueError("a stream that does not start")
    stamps = packet[7] >> 6
    if not stamps & 2:
        raise ValueError("a stream without time")
    stamp = packet[14:19] if stamps == 3 else packet[9:14]
    ticks = (stamp[0] >> 1 & 7) << 30 | stamp[1] << 22 | stamp[2] >> 1 << 15 | stamp[3] << 7 | stamp[4] >> 1
    return Fraction(ticks, _CLOCK), packet[9 + packet[8] :]


def _nals(stream: bytes) -> Iterator[bytes]:
    """The units of an access unit, each without its start code."""
    at = stream.find(b"\0\0\1")
    while at >= 0:
        following = stream.find(b"\0\0\1", at + 3)
        nal = stream[at + 3 : following if following >= 0 else len(stream)]
        if nal:
            yield nal
        at = following


def _begins_with_key_frame(nals: list[bytes]) -> bool:
    pictures = (unit_type(nal[0]) for nal in nals if SLICE <= unit_type(nal[0]) <= IDR)
    return next(pictures, SLICE) == IDR
