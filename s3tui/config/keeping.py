"""A setting written into a configuration that people keep by hand: nothing in it changes but that one value.

The file is not written anew from its data, which would lose comments: one value is replaced in its text, or one line added. What
comes out is read again, and used only if it says the same as before but for that setting.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

import yaml

from s3tui.config.shown import yaml_words
from s3tui.errors import ConfigError
from s3tui.text import display_text


def setting_lines(section: str, key: str, value: object) -> str:
    """The setting as a configuration has it."""
    return f"{section}:\n  {key}: {yaml_words(value)}\n"


def with_setting(text: str, section: str, key: str, value: object) -> str | None:
    """The text of a configuration with this setting; None if that cannot be done without touching anything else."""
    newline = "\r\n" if "\r\n" in text else "\n"
    try:
        before = yaml.safe_load(text)
        changed = _edited(text, yaml.compose(text, yaml.SafeLoader), section, key, yaml_words(value), newline)
        after = "" if changed is None else yaml.safe_load(changed)
    except (yaml.YAMLError, RecursionError):
        return None
    if changed is None:
        return None
    wanted = dict(before or {})
    wanted[section] = {**(wanted.get(section) or {}), key: value}
    return changed if after == wanted else None


def keep_setting(path: Path, section: str, key: str, value: object) -> None:
    """Write the setting into a configuration, which is made if there is none. Raises ConfigError."""
    shown = display_text(str(path))
    try:
        path = path.resolve()
        text = path.read_bytes().decode("utf-8") if path.exists() else ""
        changed = with_setting(text, section, key, value)
        if changed is None:
            raise ConfigError(f"{shown} cannot be changed without touching more than {section}.{key}: add the line by hand.")
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, changed.encode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"{shown} cannot be changed: {cause}.") from error


def _edited(text: str, root: yaml.Node | None, section: str, key: str, word: str, newline: str) -> str | None:
    if root is not None and (not isinstance(root, yaml.MappingNode) or root.flow_style):
        return None
    found = None if root is None else _entry(root, section)
    if found is None:
        above = "" if not text else newline if text.endswith("\n") else 2 * newline
        return f"{text}{above}{section}:{newline}  {key}: {word}{newline}"
    head, options = found
    if not isinstance(options, yaml.MappingNode):
        if options.tag != "tag:yaml.org,2002:null":
            return None
        return _added(text, head, 2, f"{key}: {word}", newline)
    entry = _entry(options, key)
    if entry is not None:
        return _replaced(text, *entry, word)
    if options.flow_style:
        start = options.start_mark.index + 1
        return f"{text[:start]}{key}: {word}{', ' if options.value else ''}{text[start:]}"
    return _added(text, head, options.value[0][0].start_mark.column, f"{key}: {word}", newline)


def _entry(mapping: yaml.MappingNode, name: str) -> tuple[yaml.Node, yaml.Node] | None:
    return next(((key, value) for key, value in mapping.value if key.value == name), None)


def _replaced(text: str, key: yaml.Node, value: yaml.Node, word: str) -> str:
    start, end = value.start_mark.index, value.end_mark.index
    if start == end:  # `key:` alone
        start = end = text.index(":", key.end_mark.index) + 1
        word = f" {word}"
    return text[:start] + word + text[end:]


def _added(text: str, head: yaml.Node, indent: int, line: str, newline: str) -> str:
    """A line below the one that names the section."""
    above, end, below = text[head.end_mark.index :].partition("\n")
    return f"{text[: head.end_mark.index]}{above}{end or newline}{' ' * indent}{line}{newline}{below}"


def _replace(path: Path, data: bytes) -> None:
    """Write the file at one go; who may read it stays as it is, and a new one is its owner's."""
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
