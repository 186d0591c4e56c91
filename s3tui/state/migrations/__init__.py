"""Schema migrations: numbered scripts, worded as `state.sql` says. They ship in the package and run when an old database is opened.

A new database begins with the newest schema, so there is no script for 0001, the first one; the tests have it.
"""

from __future__ import annotations

from pathlib import Path


def newer_than(version: str) -> list[str]:
    """The scripts that lead from a version to the newest schema, in order."""
    scripts = sorted(Path(__file__).parent.glob("[0-9]*.sql"))
    return [script.read_text() for script in scripts if script.name.partition("_")[0] > version]
