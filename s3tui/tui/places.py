"""Where people go: home, the configuration's folder and target, media, bookmarks, and what earlier jobs took and filled."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from s3tui.model import Job
from s3tui.tui.bookmarks import Bookmarks
from s3tui.tui.figures import subject_of

SCHEME = "s3://"
_RECENT = 20
"""Of each sort that are shown."""
MEDIA = ("/media", "/run/media", "/mnt", "/Volumes")
"""Where systems mount what is plugged in."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder, a file or a target."""

    what: str
    """`Home`, `Recent source`."""
    path: str
    """An absolute path, or `s3://bucket/prefix/`."""
    bookmarked: bool = False

    @property
    def is_target(self) -> bool:
        """Whether objects go there."""
        return self.path.startswith(SCHEME)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known before anybody looks."""

    folder: str
    """Where the tree begins."""
    started_in: str
    """Where the program was started."""
    backup_source: str
    """What the configuration backs up; empty: nothing."""
    targets: tuple[str, ...]
    """What the form says now, and what the configuration says; empty ones do not count."""
    media: tuple[str, ...] = MEDIA
    """Below which media are mounted."""


def places(known: Known, jobs: Sequence[Job], bookmarks: Bookmarks) -> list[Place]:
    """Folders first, then targets; each path once. Looks at the disk, so it blocks."""
    sources = [
        ("This folder", known.folder),
        ("Home", str(Path.home())),
        ("Started in", known.started_in),
        ("Backup source", os.path.abspath(os.path.expanduser(known.backup_source)) if known.backup_source else ""),  # noqa: PTH100, PTH111 - keeps `..` of links
        *(("Medium", path) for path in _media(known.media)),
        *(("Bookmark", path) for path in bookmarks.sources),
        *(("Recent source", path) for path in _recent_sources(jobs)),
    ]
    targets = [
        *(("Target", target) for target in known.targets if is_target(target)),
        *(("Bookmark", target) for target in bookmarks.targets),
        *(("Recent target", target) for target in _recent_targets(jobs)),
    ]
    marked = {*bookmarks.sources, *bookmarks.targets}
    first = dict(reversed([(_whole(path), (what, path)) for what, path in [*sources, *targets] if path]))
    wanted = dict.fromkeys(_whole(path) for _, path in [*sources, *targets] if path)
    return [Place(what, path, path in marked) for what, path in (first[path] for path in wanted)]


def is_target(text: str) -> bool:
    """Whether a text names a bucket."""
    return text.startswith(SCHEME) and len(text) > len(SCHEME)


def _whole(path: str) -> str:
    """The same for two ways to write one place."""
    return path.rstrip("/") or "/"


def _recent_sources(jobs: Iterable[Job]) -> list[str]:
    found: list[str] = []
    for source in dict.fromkeys(source for job in jobs for source in subject_of(job).sources):
        if os.path.lexists(source):
            found.append(source)
        if len(found) == _RECENT:
            break
    return found


def _recent_targets(jobs: Iterable[Job]) -> list[str]:
    return list(dict.fromkeys(target for job in jobs if is_target(target := subject_of(job).target)))[:_RECENT]


def _media(tops: Iterable[str]) -> Iterator[str]:
    """What is mounted right there, or in a folder there that is named after the user."""
    for path in (path for top in tops for path in _folders(top)):
        if os.path.ismount(path):
            yield path
        elif Path(path).name == Path.home().name:
            yield from filter(os.path.ismount, _folders(path))


def _folders(path: str) -> list[str]:
    try:
        with os.scandir(path) as scan:
            return sorted(entry.path for entry in scan if stat.S_ISDIR(entry.stat(follow_symlinks=False).st_mode))
    except OSError:
        return []
