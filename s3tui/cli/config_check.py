"""What `config check` looks at beyond types and ranges: names and places that only the parts which use them know."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from s3tui.errors import S3tuiError
from s3tui.text import display_text

if TYPE_CHECKING:
    from s3tui.config import Loaded, Settings


def problems(loaded: Loaded) -> Iterator[str]:
    """A sentence for each setting that will not do what it is meant to. Nothing is connected to."""
    for key, check in _CHECKS.items():
        section, _, name = key.partition(".")
        if (section, name) in loaded.origins:
            yield from (f"{loaded.origin(section, name)}: {problem}" for problem in check(loaded.settings))
    try:
        _ = loaded.settings.aws.has_keys
    except S3tuiError as error:
        yield str(error)


def _bucket(settings: Settings) -> Iterator[str]:
    from s3tui.storage.bucket import check_bucket_name

    if settings.s3.bucket_name:
        yield from _complaint(lambda: check_bucket_name(settings.s3.bucket_name))


def _source(settings: Settings) -> Iterator[str]:
    source = settings.backup.source_directory
    if source and not Path(source).expanduser().is_dir():
        yield f"backup.source_directory is {display_text(repr(source))}, which is not a directory; create it, or name another."


def _state(settings: Settings) -> Iterator[str]:
    from s3tui.state.database import postgresql_server

    if settings.state.url != "sqlite":
        yield from _complaint(lambda: postgresql_server(settings.state.url))


def _queue(settings: Settings) -> Iterator[str]:
    from s3tui.queues.broker import check_url

    yield from _complaint(lambda: check_url(settings.queue.url, beside_sqlite=settings.state.url == "sqlite"))


def _live(settings: Settings) -> Iterator[str]:
    from s3tui.live.options import check_url

    if settings.live.url:
        yield from _complaint(lambda: check_url(settings.live.url))


def _webhook(settings: Settings) -> Iterator[str]:
    yield from _complaint(lambda: settings.webhook.is_set)


def _theme(settings: Settings) -> Iterator[str]:
    from s3tui.tui.themes import load_themes

    shelf = load_themes()
    if settings.ui.theme and settings.ui.theme not in shelf.skins:
        yield f"ui.theme: there is no theme {display_text(repr(settings.ui.theme))}{_meant(settings.ui.theme, shelf.skins)}"


def _keys(settings: Settings) -> Iterator[str]:
    from s3tui.tui import keymap
    from s3tui.tui.commands import COMMANDS, unknown_ids

    known = {command.id for command in COMMANDS}
    for name in unknown_ids(settings.ui.keys):
        yield f"ui.keys: there is no action {display_text(repr(name))}{_meant(name, known)}"
    yield from (display_text(keymap.unusable_sentence(*bad)) for bad in keymap.unusable(settings.ui.keys).items())
    yield from (keymap.clash_sentence([clash]) for clash in keymap.clashes(keymap.usable(settings.ui.keys)))


def _allowed(settings: Settings) -> Iterator[str]:
    for directory in settings.api.allowed_sources:
        if not Path(directory).expanduser().is_dir():
            yield f"api.allowed_sources: {display_text(repr(directory))} is not a directory; create it, or leave it out."


def _log(settings: Settings) -> Iterator[str]:
    from s3tui.cli.logs import log_path

    path = log_path(settings.logging)
    place = path if path.exists() else path.parent
    if path.is_dir() or not os.access(place, os.W_OK):
        yield f"logging.log_file: {display_text(str(path))} cannot be written; create its directory, or name another file."


_CHECKS: dict[str, Callable[[Settings], Iterator[str]]] = {
    "s3.bucket_name": _bucket,
    "backup.source_directory": _source,
    "state.url": _state,
    "queue.url": _queue,
    "ui.theme": _theme,
    "ui.keys": _keys,
    "live.url": _live,
    "webhook.url": _webhook,
    "api.allowed_sources": _allowed,
    "logging.log_file": _log,
}
"""By key; a default needs no check."""


def _complaint(check: Callable[[], object]) -> Iterator[str]:
    try:
        check()
    except S3tuiError as error:
        yield str(error)


def _meant(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: the one that was perhaps meant, else all of them."""
    near = get_close_matches(name, names := sorted(known), n=1)
    return f". Did you mean {near[0]}?" if near else f"; there are {', '.join(names)}."
