"""The real command in a process in which somebody interferes: at chosen steps sources change, or the process is killed.

    python -m tests.cli.interference LOG '[[12, "kill"], [30, "append", "/tree/a"]]' backup ...

Steps are what Python's audit hooks tell of: files opened, leased, listed, renamed and removed, connections made. They
are counted from 1 on, beginning when the sources are listed, and what is done at a step happens just before it.

Whoever changes a file writes to the log what it will hold, and once more, as sure, when it does hold that.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_STEPS = frozenset(
    {"fcntl.fcntl", "open", "os.link", "os.listdir", "os.remove", "os.rename", "os.rmdir", "os.scandir", "socket.connect"}
)
_PATIENCE_SECONDS = 1.0
"""How long a step waits for the change before it: the change may itself wait for a lease that the step has."""

LATER = b"a later thought"

Plan = list[list[object]]
"""[step, `kill`], or [step, name of a change, path]."""


def _overwritten(path: Path, data: bytes) -> bool:
    """Write over the file as it is; whether it was still there when that was done."""
    with path.open("r+b") as file:
        file.write(data)
        file.truncate()
        return os.path.samestat(os.fstat(file.fileno()), path.stat())


def append(path: Path, log: Callable[[bytes, bool], None]) -> None:
    """Somebody adds to the file."""
    _announced(path.read_bytes() + LATER, path, log)


def truncate(path: Path, log: Callable[[bytes, bool], None]) -> None:
    """The file becomes empty."""
    _announced(b"", path, log)


def rewrite(path: Path, log: Callable[[bytes, bool], None]) -> None:
    """Other bytes of the same size, with the times of before."""
    status = path.stat()
    _announced(bytes(byte ^ 1 for byte in path.read_bytes()), path, log)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def replace(path: Path, log: Callable[[bytes, bool], None]) -> None:
    """Another file takes its place, if there is one still."""
    other = path.with_name(path.name + ".new")
    log(LATER, False)
    other.write_bytes(LATER)
    other.replace(path)
    log(LATER, True)


def lead_away(path: Path, _: Callable[[bytes, bool], None]) -> None:
    """Its directory moves out of the tree, and a link takes its place."""
    outside = path.parents[2] / f"outside-{path.parent.name}"
    path.parent.rename(outside)
    path.parent.symlink_to(outside)


CHANGES = {change.__name__: change for change in (append, truncate, rewrite, replace, lead_away)}


def _announced(data: bytes, path: Path, log: Callable[[bytes, bool], None]) -> None:
    log(data, False)
    if _overwritten(path, data):
        log(data, True)


class _Interference:
    """Carries out a plan, from the audit hook of this process."""

    def __init__(self, log: Path, plan: Plan) -> None:
        self._log = log
        self._waiting = sorted(plan, key=lambda entry: int(str(entry[0])), reverse=True)
        self._lock = threading.Lock()
        self._one_at_a_time = threading.Lock()
        self._changing: set[int] = set()
        self._begun = False
        self._step = 0

    def hook(self, event: str, arguments: tuple[object, ...]) -> None:
        """Another step is about to be made."""
        if event not in _STEPS or threading.get_ident() in self._changing:
            return
        if not self._begun:
            self._begun = event == "os.scandir" and isinstance(arguments[0], bytes) and arguments[0].startswith(b"/")
            return
        with self._lock:
            self._step += 1
            due = []
            while self._waiting and int(str(self._waiting[-1][0])) <= self._step:
                due.append(self._waiting.pop())
        for _, what, *path in due:
            if what == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            changer = threading.Thread(target=self._change, args=(str(what), Path(str(path[0]))), daemon=True)
            self._start(changer)

    def _start(self, changer: threading.Thread) -> None:
        here = threading.get_ident()
        self._changing.add(here)
        changer.start()
        self._changing.discard(here)
        changer.join(_PATIENCE_SECONDS)

    def _change(self, what: str, path: Path) -> None:
        self._changing.add(threading.get_ident())
        with self._one_at_a_time, suppress(OSError):  # the file may be gone already, or led away
            CHANGES[what](path, lambda data, sure: self._write(path, data, sure))
        self._changing.discard(threading.get_ident())

    def _write(self, path: Path, data: bytes, sure: bool) -> None:
        with self._log.open("a") as file:
            file.write(json.dumps([str(path), hashlib.sha256(data).hexdigest(), sure]) + "\n")


if __name__ == "__main__":
    from s3tui.cli.main import run

    sys.addaudithook(_Interference(Path(sys.argv[1]), json.loads(sys.argv[2])).hook)
    sys.exit(run(sys.argv[3:]))
