"""What a running encode has finished so far, in its work directory: looked for again and again, told once each.

A segment is written as `00001.m4s.tmp` and renamed when it is complete; the `init` file of a rendition is complete before its
first segment is. Segments of a rendition are numbered without a gap, so that a look is a `stat` or two for each rendition, however
long the video.

The caller deletes what it no longer needs, which is safe under the running encoder. What waits on the disk is counted, so that the
encoder can be paused while it is too much; and below a reserve of free space all is given up, because on a full disk ffmpeg goes on
writing empty files and ends as if all were well.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from s3tui.errors import TranscodeError
from s3tui.media.plan import Plan
from s3tui.text import display_text, format_size

INIT = 0
"""The number of an init file."""

LIMIT = 256 * 1024 * 1024
RESERVE = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Arrival:
    """A complete file."""

    rendition: str
    """Of which rung or sound track: the name of its directory."""
    number: int
    """1 for the first segment, `INIT` for the file that players read before it."""
    path: Path
    size: int
    """Bytes."""


class Arrivals:
    """The finished files of one encode.

    `directory` is where ffmpeg runs; `source` the file that errors name; `limit` are the bytes of segments that may wait on the
    disk; `reserve` the bytes of the disk that stay free.
    """

    def __init__(self, directory: Path, plan: Plan, source: bytes, *, limit: int = LIMIT, reserve: int = RESERVE) -> None:
        self._directory = directory
        self._next = dict.fromkeys(plan.renditions, 1)
        self._suffix = plan.suffix
        self._source = source
        self._limit = limit
        self._reserve = reserve
        self._waiting: dict[Path, int] = {}
        self._crowded = False

    @property
    def waiting(self) -> int:
        """Bytes of told segments that nobody had deleted at the last look."""
        return sum(self._waiting.values())

    @property
    def crowded(self) -> bool:
        """Whether the encoder is to be paused: from more than the limit on, until less than half of it waits."""
        return self._crowded

    def look(self) -> list[Arrival]:
        """What is new, by number, then in the order of the renditions. To be called once more after ffmpeg has ended.

        Raises TranscodeError: `disk_full` when less than the reserve is free, `incomplete` when a segment is empty.
        """
        self._demand_space()
        new = [arrival for rendition in self._next for arrival in self._finished(rendition)]
        self._waiting = {path: size for path, size in self._waiting.items() if path.exists()}
        self._waiting.update((arrival.path, arrival.size) for arrival in new if arrival.number != INIT)
        self._crowded = self.waiting > (self._limit / 2 if self._crowded else self._limit)
        return sorted(new, key=lambda arrival: arrival.number)

    def _finished(self, rendition: str) -> list[Arrival]:
        found = []
        while (segment := self._arrival(rendition, self._next[rendition])) is not None:
            if segment.number == 1:
                found += self._inits(rendition)
            found.append(segment)
            self._next[rendition] += 1
        return found

    def _arrival(self, rendition: str, number: int) -> Arrival | None:
        path = self._directory / rendition / f"{number:05d}{self._suffix}"
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            return None
        if size == 0:
            raise TranscodeError(
                f"Encode {display_text(self._source)}: segment {number} of {rendition} is empty, as happens when the disk of "
                f"{self._shown_directory} is full; look there, then retry.",
                "incomplete",
            )
        return Arrival(rendition, number, path, size)

    def _inits(self, rendition: str) -> list[Arrival]:
        paths = sorted((self._directory / rendition).glob("init*.mp4"))
        return [Arrival(rendition, INIT, path, path.stat().st_size) for path in paths]

    def _demand_space(self) -> None:
        disk = os.statvfs(self._directory)
        free = disk.f_bavail * disk.f_frsize
        if free < self._reserve:
            raise TranscodeError(
                f"Encode {display_text(self._source)}: only {format_size(free)} are free on the disk of {self._shown_directory}, "
                f"and {format_size(self._reserve)} must stay so; make room there, or let XDG_STATE_HOME name another disk, "
                "then retry.",
                "disk_full",
            )

    @property
    def _shown_directory(self) -> str:
        return display_text(os.fsencode(self._directory))
