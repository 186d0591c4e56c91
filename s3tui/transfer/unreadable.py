"""Sources that cannot be read: found before anything starts, and told with what to do about it. Imports next to nothing."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence

from s3tui.errors import SpecError
from s3tui.text import display_text


def check_sources(sources: Sequence[bytes]) -> None:
    """See that each SOURCE is there and can be read. Raises SpecError."""
    for source in sources:
        try:
            if stat.S_ISDIR(os.stat(source).st_mode):  # noqa: PTH116 - paths are bytes
                os.scandir(source).close()
            else:
                os.close(os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
        except OSError as error:
            if error.errno != errno.ENXIO:  # a socket: the scan skips it and says so
                raise SpecError(f"The source {display_text(source)} cannot be read: {cause_and_remedy(error)}") from error


def cause_and_remedy(error: OSError) -> str:
    """What the system says, and what may help, as the end of a sentence and one more."""
    return f"{(error.strerror or 'unknown error').lower()}. {_remedy(error)}"


def _remedy(error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        return "Give yourself the right to read it, or exclude it."
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return "Check the path; if something else removed it, there is nothing left to send."
    return "Check the disk or the mount, and try again."
