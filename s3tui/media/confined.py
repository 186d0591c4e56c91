"""Runs a program under limits that no file it reads can talk it out of, and never longer than the thread that started it.

This module is also the script that does so: it limits itself, then becomes the program. To do that between fork and exec of the
caller (`preexec_fn`) is unsafe: a lock that another thread held at the fork is never opened again there. Few imports, because each
start pays for them.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Sequence

_KEPT = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Of the environment. No credentials, and nothing that makes ffmpeg write reports or colours."""
_SET_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2)."""
_NICE = 10
"""Faces and uploads go first."""
_UNUSABLE = 127
"""Exit code of a program that cannot be started, as shells have it."""


def confined(command: Sequence[str], *, cpu_seconds: int = 0, memory: int = 0) -> list[str]:
    """The command that runs `command` confined; its first word is an absolute path.

    It runs with little of the environment and at a low priority, and nobody else may read what it writes. `cpu_seconds` of all its
    threads and `memory` in bytes of address space are limits, 0 is none. On Linux it is killed when the thread that started it
    ends: start it from the one that waits for it.
    """
    return [sys.executable, "-I", "-S", __file__, *map(str, (os.getpid(), cpu_seconds, memory)), *command]


def _main(words: Sequence[str]) -> None:
    parent, cpu_seconds, memory = map(int, words[:3])
    command = list(words[3:])
    _die_with(parent)
    _limit(resource.RLIMIT_CORE, 0)
    if cpu_seconds:
        _limit(resource.RLIMIT_CPU, cpu_seconds)
    if memory:
        _limit(resource.RLIMIT_AS, memory)
    os.nice(_NICE)
    os.umask(0o077)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and what is ignored stays so in the next program
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    try:
        os.execve(command[0], command, environment)  # noqa: S606 - there is no shell
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        sys.exit(_UNUSABLE)


def _die_with(parent: int) -> None:
    """Be killed when the parent ends; it may have done so before anybody asked for that."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(_UNUSABLE)


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (ceiling, ceiling))


if __name__ == "__main__":
    _main(sys.argv[1:])
