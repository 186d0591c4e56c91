"""One run of ffmpeg: started, watched, held, ended.

There is no thread behind it: whoever starts ffmpeg beats in its rhythm, and each beat reads what it said meanwhile. All of an
`Encoder` belongs to one thread, which also is the one that ffmpeg does not outlive (see `media.confined`).

SIGTERM is never sent: ffmpeg answers it by closing its playlists as if the video ended there.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from s3tui.errors import Cancelled, TranscodeError
from s3tui.media.confined import confined
from s3tui.media.progress import Lines, Progress, ProgressReport
from s3tui.text import display_text, format_duration

BEAT = 0.1
"""Seconds between two looks at ffmpeg."""

_PATIENCE = 300.0
_CHUNK = 64 * 1024
_TAIL_LINES = 100


@dataclass(frozen=True, slots=True)
class Ended:
    """How ffmpeg ended. That it `succeeded` says nothing of what lies on the disk: on a full one it succeeds, too."""

    code: int
    """Exit code; below 0 the signal that ended it."""
    finished: bool
    """Whether its last word on progress was that it is done."""
    tail: tuple[str, ...]
    """The last lines that it wrote to standard error, safe to show."""

    @property
    def succeeded(self) -> bool:
        """Whether ffmpeg holds its work to be done."""
        return self.code == 0 and self.finished


class Encoder:
    """A running ffmpeg. When its `with` block is left, for whatever reason, the process is gone.

    `command` has `-progress pipe:1`; `directory` is where it runs and writes; `source` is the file that errors name; `patience`
    are the seconds without progress after which it is held to be stuck.
    """

    def __init__(self, command: list[str], directory: Path, source: bytes, *, patience: float = _PATIENCE) -> None:
        self._command = command
        self._directory = directory
        self._source = source
        self._patience = patience
        self._report = ProgressReport()
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._pipes = selectors.DefaultSelector()
        self._paused = False
        self._ended: Ended | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            confined(self._command),
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            process_group=0,
        )
        self._moved_at = time.monotonic()
        self._listen(self._process.stdout, self._report.read)
        self._listen(self._process.stderr, self._keep)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()
        self._pipes.close()
        with self._process:  # closes its ends of the pipes and waits
            pass

    @property
    def pid(self) -> int:
        """Also the id of its process group."""
        return self._process.pid

    @property
    def paused(self) -> bool:
        """Whether `pause` holds it."""
        return self._paused

    @property
    def ended(self) -> Ended:
        """How it ended; known when `beats` is over."""
        if self._ended is None:
            raise RuntimeError("ffmpeg was not heard to the end")
        return self._ended

    def beats(self, seconds: float = BEAT) -> Iterator[Progress]:
        """Progress every so many seconds, paused or not, until ffmpeg has ended; the last one is told after its end.

        Raises TranscodeError (`stalled`) when there was none for too long.
        """
        while self._process.poll() is None:
            before = self._report.latest.out_time_us
            self._hear(seconds)
            self._watch_for_stall(moved=self._report.latest.out_time_us > before)
            yield self._report.latest
        self._hear_the_rest()
        self._ended = Ended(self._process.returncode, self._report.finished, tuple(self._tail))
        yield self._report.latest

    def pause(self) -> None:
        """Hold it where it is; it keeps its memory."""
        if not self._paused:
            self._signal(signal.SIGSTOP)
            self._paused = True

    def resume(self) -> None:
        """Let it go on."""
        if self._paused:
            self._signal(signal.SIGCONT)
            self._paused = False

    def kill(self) -> None:
        """End it at once, paused or not. It writes no playlist, so that nothing half-made looks whole."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is None:  # as long as nobody waited for it, the number is its own
            with suppress(ProcessLookupError, PermissionError):  # it has just ended: what macOS says of such a group
                os.killpg(self._process.pid, number)

    def _listen(self, pipe: IO[bytes] | None, take: Callable[[bytes], None]) -> None:
        assert pipe is not None
        self._pipes.register(pipe, selectors.EVENT_READ, (Lines(), take))

    def _hear(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not self._pipes.get_map():
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(left)
                return
            self._read(self._pipes.select(left))

    def _hear_the_rest(self) -> None:
        while self._pipes.get_map() and (ready := self._pipes.select(0)):
            self._read(ready)

    def _read(self, ready: list[tuple[selectors.SelectorKey, int]]) -> None:
        for key, _ in ready:
            chunk = os.read(key.fd, _CHUNK)
            if not chunk:
                self._pipes.unregister(key.fileobj)
            lines, take = key.data
            for line in lines.feed(chunk or b"\n"):
                take(line)

    def _keep(self, complaint: bytes) -> None:
        self._tail.append(display_text(complaint))

    def _watch_for_stall(self, *, moved: bool) -> None:
        now = time.monotonic()
        if moved or self._paused:
            self._moved_at = now
        elif now - self._moved_at >= self._patience:
            self.kill()
            raise TranscodeError(
                f"Encode {display_text(self._source)}: ffmpeg made no progress for {format_duration(self._patience)} and was "
                "ended; look at the load of this machine and at the disk that holds the file, then retry.",
                "stalled",
            )


def run(
    command: list[str], directory: Path, source: bytes, *, patience: float = _PATIENCE, stopping: Callable[[], bool] = lambda: False
) -> Ended:
    """Run ffmpeg to its end. Raises TranscodeError (`stalled`), and Cancelled as soon as it is `stopping`."""
    with Encoder(command, directory, source, patience=patience) as encoder:
        for _ in encoder.beats():
            if stopping():
                raise Cancelled("The job was stopped.")
        return encoder.ended
