"""What `--version` says, for whoever reports an error: the version, and of a built package the commit it was made from."""

from __future__ import annotations

import argparse
from pathlib import Path

from s3tui import __version__

_COMMIT = Path(__file__).parents[1] / "commit.txt"
"""Written when a package is built from a repository; see hatch_build.py."""


class VersionAction(argparse.Action):
    """`--version`: the modules that know are imported for who asks."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        """Print it and leave."""
        print(version_line())
        parser.exit()


def version_line() -> str:
    """`s3tui 1.2.3 (commit 0123456789ab, Python 3.12.1, Textual 8.2.8)`; the commit only if it is known."""
    import platform
    from importlib.metadata import version

    commit = f"commit {_COMMIT.read_text().strip()}, " if _COMMIT.is_file() else ""
    return f"s3tui {__version__} ({commit}Python {platform.python_version()}, Textual {version('textual')})"
