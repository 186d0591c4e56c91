"""What ffmpeg says of how far it is: the `key=value` lines of `-progress`."""

from __future__ import annotations

from dataclasses import dataclass

_LINE_BYTES = 1000
_TOLD = frozenset({b"out_time_us", b"fps", b"speed"})


@dataclass(frozen=True, slots=True)
class Progress:
    """How far ffmpeg is, by its own words."""

    out_time_us: int = 0
    """Microseconds of video that are made; it never goes back."""
    fps: float = 0.0
    speed: float = 0.0
    """Times real time; 0 while it is not known."""


class Lines:
    """Cuts what a process writes into lines, in bounded memory: of a line too long, the start is kept."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that `chunk` completes, without empty ones; a carriage return ends a line, too."""
        *lines, rest = (self._rest + chunk).replace(b"\r", b"\n").split(b"\n")
        self._rest = rest[:_LINE_BYTES]
        return [line[:_LINE_BYTES] for line in lines if line]


class ProgressReport:
    """Reads the lines; a block of them ends with `progress=continue` or `progress=end`."""

    def __init__(self) -> None:
        self.latest = Progress()
        self.finished = False
        self._block: dict[bytes, bytes] = {}

    def read(self, line: bytes) -> None:
        """Take one line."""
        key, _, value = line.partition(b"=")
        if key in _TOLD:
            self._block[key] = value
        elif key == b"progress":
            reached = int(self._number(b"out_time_us"))
            self.latest = Progress(max(self.latest.out_time_us, reached), self._number(b"fps"), self._number(b"speed"))
            self.finished = value.strip() == b"end"

    def _number(self, key: bytes) -> float:
        try:
            return max(0.0, float(self._block.get(key, b"").strip().removesuffix(b"x")))
        except ValueError:  # `N/A`, as long as ffmpeg cannot tell
            return 0.0
