"""Runs ffmpeg on somebody's file to its end, or until it has had its time: confined, without input, what it says bounded."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO

from s3tui.media.confined import confined

_MEMORY = 2 << 30
"""Bytes of address space: builds with many libraries need 0.5 GiB to start."""
_MOST_SAID = 1 << 20
"""Bytes of standard error that are kept; the rest is read and dropped, so that the program never waits for a reader."""
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended."""

    code: int
    """Negative: the signal that ended it."""
    said: str
    """The beginning of its standard error; bytes that are not UTF-8 as surrogates."""
    overdue: bool
    """Whether it was killed because its time was up, on the clock or on the processor."""


def run(command: Sequence[str], *, seconds: float, cpu_seconds: int, take: Callable[[bytes], None] = lambda _: None) -> Ended:
    """Run a command whose first word is an absolute path. `take` gets its standard output piece by piece.

    After `seconds` the whole process group is killed. Raises what `take` raises, after killing it.
    """
    said = bytearray()

    def keep(piece: bytes) -> None:
        said.extend(piece[: _MOST_SAID - len(said)])

    with subprocess.Popen(
        confined(command, cpu_seconds=cpu_seconds, memory=_MEMORY),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            in_time = _drain({process.stdout: take, process.stderr: keep}, time.monotonic() + seconds)
        finally:
            kill(process)
    overdue = not in_time or process.returncode in (-signal.SIGXCPU, -signal.SIGKILL)  # the kernel's word on its limits
    return Ended(process.returncode, said.decode("utf-8", "surrogateescape"), overdue)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads its group, and the group; one that has closed its output may take a moment to end by itself."""
    try:
        process.wait(0.5)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _drain(takers: dict[IO[bytes], Callable[[bytes], None]], deadline: float) -> bool:
    """Read all streams to their ends. Returns whether that was in time."""
    with selectors.DefaultSelector() as selector:
        for stream, take in takers.items():
            selector.register(stream, selectors.EVENT_READ, take)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            for key, _ in selector.select(left):
                piece = os.read(key.fd, _CHUNK)
                if piece:
                    key.data(piece)
                else:
                    selector.unregister(key.fileobj)
    return True
