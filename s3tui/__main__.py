"""`python -m s3tui` and the `s3tui` command."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and end the process with its exit code.

    The end is abrupt once everything is flushed: a thread that waits for an answer the store never gives must not keep a command
    from ending, and taking a large heap apart object by object serves nobody.
    """
    from s3tui.cli.main import run

    code = run(sys.argv[1:])
    logging.shutdown()
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
