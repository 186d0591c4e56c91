"""`python -m s3tui` and the `s3tui` command."""

from __future__ import annotations

import signal

_INTERRUPTIBLE = signal.getsignal(signal.SIGINT) is signal.default_int_handler
if _INTERRUPTIBLE:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while all this is imported ends the process without a traceback

import gc  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from contextlib import suppress  # noqa: E402
from typing import NoReturn  # noqa: E402


def main() -> NoReturn:
    """Run the command line and end the process with its exit code.

    The end is abrupt once everything is flushed: a thread that waits for an answer the store never gives must not keep a command
    from ending, and taking a large heap apart object by object serves nobody.
    """
    _replace_closed_streams()
    gc.set_threshold(50_000)  # what imports and plans make is there to stay: looking for garbage among it is in vain
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for any reads every package's metadata
    from s3tui.cli.main import run

    if _INTERRUPTIBLE:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    code = run(sys.argv[1:])
    import logging

    logging.shutdown()
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _replace_closed_streams() -> None:
    """Streams that the caller has closed (`>&-`) lead nowhere. Left closed, their numbers would go to the next files we open."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
            setattr(sys, name, os.fdopen(descriptor, "r" if number == 0 else "w", closefd=False))


if __name__ == "__main__":
    main()
