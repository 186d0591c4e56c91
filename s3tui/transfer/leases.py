"""Whether somebody has a file open for writing, as far as the system can tell: by a read lease, which it grants only if nobody has.

Linux grants leases on regular files of one's own, or with CAP_LEASE, on local file systems. Everywhere else nothing is known, which
is no proof that there is no writer.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

_KNOWN = hasattr(fcntl, "F_SETLEASE")
_REFUSED_WITHOUT_CAUSE = ("cifs", "nfs", "nfs4", "smb3")
"""File systems that refuse leases for reasons of their own, with the same error."""


class Writer(Exception):
    """Somebody has the file open for writing."""


@contextmanager
def read_lease(descriptor: int) -> Iterator[Callable[[], bool]]:
    """Keep writers waiting, where the system can do that; gives the question whether one has come. Raises Writer if there is one.

    The file must be open read-only. A writer that comes waits until the lease is given back, so be quick.
    """
    held = _take(descriptor)
    try:
        yield lambda: held and fcntl.fcntl(descriptor, fcntl.F_GETLEASE) != fcntl.F_RDLCK
    finally:
        if held:
            with suppress(OSError):
                fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)


def _take(descriptor: int) -> bool:
    """Take a lease; False where there is none to be had. Raises Writer."""
    if not _KNOWN:
        return False
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)  # of all signals one that is ignored unless somebody listens
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        if error.errno == errno.EAGAIN and _file_system(os.fstat(descriptor).st_dev) not in _REFUSED_WITHOUT_CAUSE:
            raise Writer from None
        return False
    return True


@lru_cache(64)
def _file_system(device: int) -> str:
    """The kind of a mounted file system, empty if it is not known."""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    with suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text(errors="replace").splitlines():
            fields = line.split()
            if fields[2] == wanted and "-" in fields:
                return fields[fields.index("-") + 1]
    return ""
