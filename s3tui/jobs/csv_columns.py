"""The columns of an ingest job as people give them: written down, or in a file."""

from __future__ import annotations

import os
from pathlib import Path

from s3tui.errors import SpecError
from s3tui.text import display_text


def columns_given(text: str, file: str) -> str:
    """The text of a schema, given itself or by the path of a file; empty if neither was given. Raises SpecError."""
    if not file:
        return text
    if text:
        raise SpecError("The schema and the schema file (--schema, --schema-file) both give the columns: use one of the two.")
    try:
        return Path(os.path.expanduser(file)).read_text(encoding="utf-8")  # noqa: PTH111 - it does not raise
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SpecError(f"The schema cannot be read from {display_text(file)}: {cause}. Check the file.") from error
