"""Arguments and variables as layers: which name sets which key."""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic.fields import FieldInfo

from s3tui.config.settings import known_keys
from s3tui.errors import ConfigError
from s3tui.text import display_text

Key = tuple[str, str]
"""Section and key."""


class Given(NamedTuple):
    """A value that somebody gave."""

    value: Any
    origin: str
    """Where, for people: `environment AWS_REGION`, `config.yaml:12`."""


Layer = dict[Key, Given]
"""What one place sets."""

NAMES: dict[Key, tuple[str, ...]] = {
    ("aws", "access_key_id"): ("AWS_ACCESS_KEY_ID",),
    ("aws", "secret_access_key"): ("AWS_SECRET_ACCESS_KEY",),
    ("aws", "session_token"): ("AWS_SESSION_TOKEN",),
    ("aws", "profile"): ("AWS_PROFILE",),
    ("aws", "region"): ("AWS_REGION", "AWS_DEFAULT_REGION"),
    ("aws", "endpoint_url"): ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    ("s3", "bucket_name"): ("S3_BUCKET_NAME",),
    ("s3", "prefix"): ("S3_PREFIX",),
    ("video", "ffmpeg"): ("S3TUI_FFMPEG",),
    ("state", "url"): ("DATABASE_URL",),
    ("queue", "url"): ("RABBITMQ_URL",),
    ("live", "url"): ("REDIS_URL",),
}
"""Other names, most of them coined by others, the strongest first. `S3TUI_<SECTION>__<KEY>` is stronger than all of them."""

_OWN_NAME = re.compile(r"S3TUI_([A-Za-z0-9]\w*?)__(\w+)")


def arguments_layer(arguments: Mapping[str, Any]) -> Layer:
    """`{"transfer.concurrency": 8}`; None is not given."""
    layer: Layer = {}
    for name, value in arguments.items():
        section, _, key = name.partition(".")
        if value is not None:
            layer[section, key] = Given(value, "argument")
    return layer


def environment_layer(variables: Mapping[str, str]) -> Layer:
    """What the environment sets. Raises ConfigError for an `S3TUI_` name that sets nothing."""
    return variables_layer({name: Given(value, f"environment {name}") for name, value in variables.items()})


def variables_layer(variables: Mapping[str, Given]) -> Layer:
    """What variables set, wherever they were given; an empty one sets nothing. Raises ConfigError."""
    layer: Layer = {}
    fields = {(section, key): field for section, key, field in known_keys()}
    for key, field in fields.items():
        for name in (f"S3TUI_{key[0]}__{key[1]}".upper(), *NAMES.get(key, ())):
            given = variables.get(name)
            if given is not None and given.value:
                layer[key] = _parsed(name, given, field)
                break
    _refuse_unknown(variables, {f"S3TUI_{section}__{key}".upper() for section, key in fields})
    return layer


def unknown_key(what: str, name: str, known: Iterable[str], where: str) -> ConfigError:
    """The complaint about a key that does not exist, with the one that was perhaps meant."""
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), list(known), n=1)
    hint = f" Did you mean {near[0]}?" if near else " `s3tui config show` lists all keys."
    return ConfigError(f"There is no {what} {display_text(name)!r} ({where}).{hint}")


def _refuse_unknown(variables: Mapping[str, Given], known: set[str]) -> None:
    for name, given in variables.items():
        if name not in known and _OWN_NAME.fullmatch(name):
            raise unknown_key("setting", name, {name.lower() for name in known}, given.origin)


def _parsed(name: str, given: Given, field: FieldInfo) -> Given:
    """Lists and maps are written as JSON, everything else as it is."""
    if not _is_structured(field.annotation):
        return given
    try:
        return Given(json.loads(given.value), given.origin)
    except ValueError as error:
        raise ConfigError(f'{name} must be JSON, like ["a", "b"]: it cannot be read ({given.origin}).') from error


def _is_structured(annotation: object) -> bool:
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType, typing.Annotated):
        return any(_is_structured(argument) for argument in typing.get_args(annotation))
    return origin in (list, tuple, dict, set) or annotation in (list, tuple, dict, set)
