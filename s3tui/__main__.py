"""`python -m s3tui` and the `s3tui` command."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and end the process with its exit code.

    The end is abrupt once everything is flushed: a thread that waits for an answer the store never gives must not keep a command
    from ending, and taking a large heap apart object by object serves nobody.
    """
    _replace_closed_streams()
    gc.set_threshold(50_000)  # what imports and plans make is there to stay: looking for garbage among it is in vain
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for any reads every package's metadata
    from s3tui.cli.main import run

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
