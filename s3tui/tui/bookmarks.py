"""Bookmarks of folders and targets: `bookmarks.json` in the state directory, readable by its owner only.

It is JSON in ASCII, so names that are not UTF-8 survive as `\\udcXX` escapes. It is written whole and renamed into its place. One
that cannot be read is left as it is, for whoever can mend it, and so nothing can be added to it.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from s3tui.errors import ConfigError
from s3tui.text import display_text

_MOST = 500
_MAX_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Bookmarks:
    """What is bookmarked, in the order in which it was."""

    sources: tuple[str, ...] = ()
    """Absolute paths."""
    targets: tuple[str, ...] = ()
    """`s3://bucket/prefix/`."""

    def toggled(self, place: str) -> Bookmarks:
        """The same with this path or target, or without it if it was there. Raises ConfigError for one too many."""
        name = "targets" if place.startswith("s3://") else "sources"
        fields = {"sources": self.sources, "targets": self.targets}
        kept = tuple(other for other in fields[name] if other != place)
        fields[name] = kept if kept != fields[name] else (*kept, place)
        if len(fields[name]) > _MOST:
            raise ConfigError(f"There are {_MOST} bookmarks already: remove one first.")
        return Bookmarks(**fields)


class BookmarkFile:
    """Where they are kept. Every call blocks on the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Bookmarks:
        """All of them; none if there is no file. Raises ConfigError for a file that cannot be read or holds something else."""
        try:
            with self.path.open("rb") as file:
                fields = json.loads(file.read(_MAX_BYTES))
            return Bookmarks(**{name: _texts(fields.get(name, [])) for name in ("sources", "targets")})
        except FileNotFoundError:
            return Bookmarks()
        except OSError as error:
            raise self._unusable((error.strerror or "cannot be read").lower()) from error
        except (ValueError, AttributeError) as error:
            raise self._unusable("it is not the JSON that s3tui writes") from error

    def toggle(self, place: str) -> Bookmarks:
        """Add a bookmark, or remove it; returns what there is now. Raises ConfigError."""
        bookmarks = self.read().toggled(place)
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_whole(self.path, json.dumps(asdict(bookmarks), indent=1))
        except OSError as error:
            raise self._unusable((error.strerror or "cannot be written").lower()) from error
        return bookmarks

    def _unusable(self, why: str) -> ConfigError:
        return ConfigError(f"The bookmarks in {display_text(str(self.path))} cannot be used: {why}. Mend the file, or remove it.")


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError("not a list of texts")
    for value in values:
        if b"\0" in os.fsencode(value):  # a ValueError as well, if it holds what no name can
            raise ValueError("not a name")
    return tuple(dict.fromkeys(values))[:_MOST]


def _write_whole(path: Path, text: str) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=path.name, dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
