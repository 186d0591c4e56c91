"""What one command costs: seconds, CPU time and memory of all its processes, also of those that outlive their parents.

    metered(["s5cmd", ...], directory, environment) -> Run

The command runs under a small process of its own (this file as a script), which adopts every orphan below it. So the CPU time that
the kernel adds up for it is that of the command's whole tree, and the tree is all that hangs below it. Needs Linux.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER
_LINGER_SECONDS = 30.0
_LOOK_SECONDS, _LIST_SECONDS = 0.05, 0.5
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Run:
    """One command from its start to the end of its last process."""

    seconds: float
    """Until the command itself ended, as whoever typed it sees it."""
    cpu_seconds: float
    peak_bytes: int
    """Memory of the tree at its largest: the sum of proportional set sizes, so that shared pages count once."""
    foreign: float
    """Cores that anything else but the command and `beside` had meanwhile."""


class RunFailed(Exception):
    """A run that says nothing about speed: the command failed, or not everything arrived, or its report does not balance."""


def metered(command: Sequence[str], directory: Path, environment: Mapping[str, str], *, beside: Sequence[int] = ()) -> Run:
    """Run a command to its end. `beside`: processes that work for it, like the server. Raises RunFailed."""
    launcher = [sys.executable, "-I", "-S", __file__, ",".join(map(str, beside)), *command]
    with tempfile.TemporaryFile("w+") as complaints:
        result = subprocess.run(launcher, cwd=directory, env=environment, stdout=subprocess.PIPE, stderr=complaints, check=False)
        if result.returncode:
            complaints.seek(0)
            last = " / ".join(complaints.read().strip().splitlines()[-3:])
            raise RunFailed(f"`{' '.join(command)}` ended with exit code {result.returncode}: {last}")
    return Run(**json.loads(result.stdout))


def _launch(command: Sequence[str], beside: Sequence[int]) -> int:
    """Run the command, and print what it cost; returns its exit code."""
    ctypes.CDLL(None).prctl(_ADOPT_ORPHANS, 1, 0, 0, 0)
    busy, helped, own, began = _busy(), sum(map(_cpu, beside)), time.process_time(), time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    peak, seconds = _watch(process, began)
    _await_orphans()
    elapsed, usage = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = usage.ru_utime + usage.ru_stime
    foreign = _busy() - busy - cpu - (sum(map(_cpu, beside)) - helped) - (time.process_time() - own)
    run = {
        "seconds": seconds,
        "cpu_seconds": cpu,
        "peak_bytes": peak or usage.ru_maxrss * 1024,  # a command may end before anybody looks
        "foreign": max(0.0, foreign) / elapsed,
    }
    print(json.dumps(run))
    return process.returncode


def _watch(process: subprocess.Popen[bytes], began: float) -> tuple[int, float]:
    """Wait for the command; the largest memory of its tree meanwhile, and its seconds.

    Looking costs CPU time that the command lacks: it is done more rarely the longer the command runs, and proportional sizes, which
    the kernel must count page by page, are asked for only when the resident ones have never been larger.
    """
    ended, tree, listed, resident, peak = os.pidfd_open(process.pid), [process.pid], 0.0, 0, 0
    while True:
        age = time.perf_counter() - began
        if select.select([ended], [], [], min(_LOOK_SECONDS, max(0.005, age / 10)))[0]:
            seconds = time.perf_counter() - began
            os.close(ended)
            process.wait()
            return peak, seconds
        if age - listed >= min(_LIST_SECONDS, listed):
            tree, listed = _below(os.getpid()), age
        now = sum(map(_resident, tree))
        if now > 1.01 * resident:
            resident, peak = now, max(peak, sum(map(_proportional, tree)))


def _await_orphans() -> None:
    """Wait for what the command has left behind, so that its CPU time counts, too."""
    deadline = time.monotonic() + _LINGER_SECONDS
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            if time.monotonic() > deadline:
                raise SystemExit(f"The command has left processes behind: {_below(os.getpid())}.")
            time.sleep(0.005)


def _below(pid: int) -> list[int]:
    """The descendants of a process."""
    found = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - cheap, it happens often
            with open(f"/proc/{pid}/task/{thread}/children") as children:
                found += [int(child) for child in children.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found + [further for child in found for further in _below(child)]


def _resident(pid: int) -> int:
    """Resident set size in bytes; 0 if the process is gone."""
    try:
        with open(f"/proc/{pid}/statm") as text:
            return int(text.read().split()[1]) * _PAGE
    except OSError:
        return 0


def _proportional(pid: int) -> int:
    """Proportional set size in bytes; where the kernel does not tell it, the resident one."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as text:
            return int(text.read().partition("\nPss:")[2].split(None, 1)[0]) * 1024
    except (OSError, IndexError):
        return _resident(pid)


def _cpu(pid: int) -> float:
    """CPU seconds of a process so far; 0 if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICK


def _busy() -> float:
    """CPU seconds that all processes of the machine had so far, and that other machines took from this one."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    user, nice, system, steal = (int(fields[at]) for at in (1, 2, 3, 8))
    return (user + nice + system + steal) / _TICK


if __name__ == "__main__":
    sys.exit(_launch(sys.argv[2:], [int(pid) for pid in sys.argv[1].split(",") if pid]))
