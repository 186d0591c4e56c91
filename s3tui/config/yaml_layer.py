"""The YAML file as a layer. Nodes are kept, so that every complaint can name its line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from s3tui.config.layers import Given, Layer, unknown_key
from s3tui.config.settings import Settings, options_of
from s3tui.errors import ConfigError
from s3tui.text import display_text


def yaml_layer(path: Path) -> Layer:
    """What the file sets; a key without a value sets nothing. Raises ConfigError, naming the line."""
    text = _text(path)
    try:
        return _layer(path, yaml.SafeLoader(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        tab = error.problem is not None and r"'\t'" in error.problem
        cause = "it holds a tab: use spaces" if tab else error.problem or error.context
        raise ConfigError(f"{path}, line {line}, is not valid YAML: {cause}.") from None  # it repeats the line
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(f"{path}, line {line}, is not valid YAML: it holds a control character.") from error
    except RecursionError as error:
        raise ConfigError(f"{path} is not a configuration: it is nested too deeply.") from error


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"The configuration {path} cannot be read: {error.strerror}.") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}, line {line}, is not UTF-8 text.") from error


def _layer(path: Path, loader: yaml.SafeLoader) -> Layer:
    layer: Layer = {}
    for section, options in _entries(path, loader.get_single_node(), "the file"):
        if section.value not in Settings.model_fields:
            raise unknown_key("section", section.value, Settings.model_fields, _place(path, section))
        known = options_of(section.value).model_fields
        for key, value in _entries(path, options, f"{section.value}:"):
            if key.value not in known:
                raise unknown_key(
                    "key", f"{section.value}.{key.value}", [f"{section.value}.{name}" for name in known], _place(path, key)
                )
            parsed = _parsed(path, loader, value, f"{section.value}.{key.value}")
            if parsed is not None:
                layer[section.value, key.value] = Given(parsed, f"{path}:{key.start_mark.line + 1}")
    return layer


def _parsed(path: Path, loader: yaml.SafeLoader, node: yaml.Node, name: str) -> object:
    """The value of a key. Raises ConfigError, also where YAML's loader meets Python's own errors."""
    try:
        return loader.construct_object(node, deep=True)
    except (ValueError, LookupError, AttributeError):
        why = f"{name} looks like a number or a date and is none: write text in quotes"
        raise ConfigError(f"{_place(path, node)}: {why}.") from None  # it repeats the value


def _entries(path: Path, node: yaml.Node | None, what: str) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    """The keys of a mapping with their values. Nothing at all is an empty mapping."""
    if node is None or (isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"):
        return
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(f"{path}, line {node.start_mark.line + 1}: {what} must hold keys and values, like `region: us-east-1`.")
    lines: dict[str, int] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigError(f"{path}, line {key.start_mark.line + 1}: a key must be a plain word.")
        if key.value in lines:
            first = lines[key.value]
            raise ConfigError(f"{_place(path, key)}: {display_text(key.value)!r} is given twice; the first is on line {first}.")
        lines[key.value] = key.start_mark.line + 1
        yield key, value


def _place(path: Path, node: yaml.Node) -> str:
    return f"{path}, line {node.start_mark.line + 1}"
