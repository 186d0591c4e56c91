"""Which paths of this machine callers may name: those below `api.allowed_sources`, with every link followed first.

A caller learns nothing of what lies elsewhere, not even whether it exists. Whoever may write below an allowed directory can change
what a name leads to after it was looked at: allow only directories of people you trust as much as the tokens.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from s3tui.api.problems import Problem
from s3tui.errors import SpecError
from s3tui.text import display_text


def allowed(sources: Sequence[str], directories: Sequence[str]) -> list[str]:
    """The sources as they are meant, without links. Raises Problem 403, SpecError. Blocks."""
    roots = [Path(os.path.realpath(Path(directory).expanduser())) for directory in directories]
    return [_allowed(source, roots) for source in sources]


def _allowed(source: str, roots: Sequence[Path]) -> str:
    try:
        path = Path(os.path.realpath(source)) if source.startswith("/") else None
    except ValueError:  # a NUL, or what no file system can name
        path = None
    if path is None or not any(path.is_relative_to(root) for root in roots):
        detail = f"{display_text(source)!r} is not an absolute path below a directory that api.allowed_sources names."
        raise Problem(403, "source_not_allowed", detail)
    if not path.exists():
        raise SpecError(f"{display_text(source)} does not exist.")
    return str(path)
