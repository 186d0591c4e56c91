"""Every key of the configuration: types and defaults from the settings, words from the template."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from docs.reference.table import code, plain, table
from s3tui.config.layers import NAMES
from s3tui.config.settings import known_keys
from s3tui.config.template import template_path

_HEAD = """# Configuration

Arguments outrank the environment, the environment outranks `.env`, `.env` outranks the YAML file, which is `--config FILE`, else
`./config.yaml`, else `~/.config/s3tui/config.yaml`. `s3tui config init` writes one with every key; `s3tui config show` prints
what holds and where each value came from; `s3tui config check` names what will not work. A key that is not known is an error.

Every key can also be set by a variable `S3TUI_<SECTION>__<KEY>`, like `S3TUI_TRANSFER__CONCURRENCY=50`. The other variables below
are those that the AWS SDK and others have coined; of several, the first that is set counts.

"""


def configuration_page() -> str:
    """The page."""
    said = dict(_comments())
    text = _HEAD
    for section, keys in groupby(known_keys(), key=lambda known: known[0]):
        rows = [_row(section, key, field, said[section, key]) for _, key, field in keys]
        text += f"## {section}\n\n{table(['key', 'default', 'variables', ''], rows)}\n"
    return text


def _row(section: str, key: str, field: FieldInfo, said: str) -> tuple[str, str, str, str]:
    variables = [code(name) for name in NAMES.get((section, key), ())]
    return code(key), code(_default(field)), " ".join(variables), plain(said)


def _default(field: FieldInfo) -> str:
    value: Any = field.get_default(call_default_factory=True)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return value if isinstance(value, str) else json.dumps(list(value) if isinstance(value, tuple) else value)


def _comments() -> Iterator[tuple[tuple[str, str], str]]:
    """What the template says above each key."""
    section, words = "", []
    for line in template_path().read_text().splitlines():
        text = line.strip()
        if text.startswith("#"):
            words.append(text.lstrip("# "))
        elif text:
            if line[0] != " ":
                section = text.partition(":")[0]
            else:
                yield (section, text.partition(":")[0]), " ".join(words)
            words = []
