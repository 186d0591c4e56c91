"""Settings as people may see them: every value with where it came from, secrets masked; and the files in use."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from pydantic import SecretStr

from s3tui.config.load import UNSHOWN, Loaded
from s3tui.config.settings import config_directory, effective_value, known_keys
from s3tui.masking import MASK, shown_url, web_host
from s3tui.state.options import state_directory
from s3tui.text import display_text


class Shown(NamedTuple):
    """One setting."""

    section: str
    key: str
    value: object
    """Without what nobody may see."""
    origin: str
    masked: bool
    """Whether something of the value is hidden."""


def shown_settings(loaded: Loaded) -> Iterator[Shown]:
    """Every setting, in the order of the template."""
    for section, key, _ in known_keys():
        value = effective_value(loaded.settings, section, key)
        shown = _shown(section, key, value)
        yield Shown(section, key, shown, loaded.origin(section, key), masked=shown != value)


def _shown(section: str, key: str, value: object) -> object:
    """The value without secrets, passwords in URLs, and what of a URL may be either."""
    if isinstance(value, SecretStr):
        return MASK if value.get_secret_value() else ""
    if not isinstance(value, str):
        return value
    return web_host(value) if (section, key) in UNSHOWN else shown_url(value)


def yaml_words(value: object) -> str:
    """The value as YAML writes it in one line. JSON is YAML, and a plain word needs no quotes."""
    if (
        isinstance(value, str)
        and (not value or re.fullmatch(r"[A-Za-z_/.][\w/.:@+-]*", value))
        and value not in ("null", "true", "false")
    ):
        return value
    return display_text(json.dumps(value, ensure_ascii=False))


def paths_in_use(loaded: Loaded) -> Iterator[tuple[str, str]]:
    """(what, where) of each file and directory that is read or written."""
    yield "configuration", display_text(str(loaded.config_file or "none"))
    yield "environment file", display_text(str(loaded.env_file or "none"))
    yield "state directory", display_text(str(state_directory()))
    yield "log file", display_text(str(loaded.settings.logging.path))
    yield "own themes", display_text(str(config_directory() / "themes"))
