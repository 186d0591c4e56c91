"""Themes are YAML files: Textual's theme fields, and one block `s3tui` of ours.

    s3tui:
      states: {queued: COLOUR, active: COLOUR, done: COLOUR, failed: COLOUR, skipped: COLOUR}
      quiet: COLOUR                   # text that steps back
      rule: COLOUR                    # the empty part of bars, lines
      cursor: {background: COLOUR, foreground: COLOUR, style: none|bold|reverse}
      glyphs: {failed: "!", ...}      # by the names in `looks`
      bar: lines | ascii

A colour is what Textual takes, or `$NAME 60%`: a field of the same theme, blended over its background. A file of the user's wins
over a bundled one of the same name. What cannot be used is a sentence that names file and line, never a failure.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml
from textual.color import Color, ColorParseError
from textual.theme import BUILTIN_THEMES, Theme

from s3tui.tui.looks import LOOKS, STYLES, Looks

DEFAULT = "harbour"
COLOURLESS = "ink"
"""The default where `NO_COLOR` is set."""
SIXTEEN = "sixteen"
"""The default where the terminal has no more colours than that."""
_FIELDS = {field.name for field in fields(Theme)}
_COLOURS = _FIELDS - {"name", "dark", "ansi", "luminosity_spread", "text_alpha", "variables"}
_QUICK = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C, unless PyYAML was built without it: every start waits for the themes."""
_OURS = {"states", "quiet", "rule", "cursor", "glyphs", "bar"}
FALLBACKS = {
    "state-queued": "#808890",
    "state-active": "#7aa7d9",
    "state-done": "#86c29a",
    "state-failed": "#ee7d77",
    "state-skipped": "#c9a76a",
    "quiet": "#808890",
    "rule": "#404850",
    "row-background": "#24364b",
    "row-foreground": "#ffffff",
    "row-style": "none",
}
"""Values of our CSS variables for themes that do not set them."""


_HARMLESS = re.compile(r"[\w#%(),. -]+").fullmatch
_STYLE_WORD = r"(not )?(b|bold|dim|italic|reverse|strike|underline)"
_STYLE = re.compile(f"none|{_STYLE_WORD}( {_STYLE_WORD})*").fullmatch
_KNOWN = {**Theme(name="", primary="#000000").to_color_system().generate(), **FALLBACKS}
"""The variables that Textual and we use, with values of their kinds."""


def _colour_like(value: str) -> bool:
    """Whether it is a colour, with a share perhaps."""
    word, _, share = value.partition(" ")
    if share and not re.fullmatch(r"\d{1,3}(\.\d+)?%", share):
        return False
    try:
        return word in ("auto", "initial") or bool(Color.parse(word))
    except ColorParseError:
        return False


class _Unusable(Exception):
    """A theme file that cannot be used; the sentence names file and line."""


@dataclass(frozen=True, slots=True)
class Skin:
    """A theme, and how states look in it."""

    theme: Theme
    looks: Looks


@dataclass(slots=True)
class Shelf:
    """All themes that could be read, by name, and a sentence for each file that could not."""

    skins: dict[str, Skin] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def chosen(self, name: str, *, colourless: bool = False, few_colours: bool = False) -> Skin:
        """The theme with this name; without a name the default, which may be one without colours, or with few.

        A name that there is not means the default, and a sentence in `problems`.
        """
        if name and name not in self.skins:
            self.problems.append(f"There is no theme {name!r}: showing {DEFAULT}. There are {', '.join(sorted(self.skins))}.")
        default = COLOURLESS if colourless else SIXTEEN if few_colours else DEFAULT
        return self.skins.get(name) or self.skins.get(default) or _PLAIN_SKIN


def load_themes() -> Shelf:
    """Read every theme file, bundled ones first."""
    shelf = Shelf()
    for directory in theme_directories():
        for path in sorted(directory.glob("*.yaml")):
            try:
                skin = read_theme(path)
            except _Unusable as problem:
                shelf.problems.append(str(problem))
            else:
                shelf.skins[skin.theme.name] = skin
    return shelf


Stamp = tuple[tuple[str, int, int], ...]
"""Path, time and size of each theme file."""


def stamp() -> Stamp:
    """Tells whether a theme file has changed, come or gone since an earlier stamp."""
    found = []
    for directory in theme_directories():
        for path in sorted(directory.glob("*.yaml")):
            with suppress(OSError):
                status = path.stat()
                found.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(found)


def changed_themes(known: Stamp) -> tuple[Stamp, Shelf] | None:
    """All themes anew with their stamp, if any file is another one than at `known`. Blocks on the disk."""
    now = stamp()
    return None if now == known else (now, load_themes())


def theme_directories() -> Iterator[Path]:
    """Where themes are looked for: the package or its source tree, then the user's own."""
    package = Path(__file__).resolve().parents[1]
    for bundled in (package / "themes", package.parent / "themes"):
        if bundled.is_dir():
            yield bundled
            break
    config = os.environ.get("XDG_CONFIG_HOME", "")
    yield (Path(config) if config.startswith("/") else Path.home() / ".config") / "s3tui" / "themes"


def read_theme(path: Path) -> Skin:
    """One theme file. Raises a sentence that names file and line."""
    text, lines = _parse(path)
    sheet = _Sheet(path, lines)
    for name in ("name", "primary"):
        if name not in text:
            sheet.refuse(f"needs {name!r}")
    ours = sheet.mapping(text, "s3tui", _OURS)
    for name in text:
        if name not in _FIELDS and name != "s3tui":
            sheet.refuse(f"has an unknown key {name!r}", name)
    given = {name: value for name, value in text.items() if name in _FIELDS}
    sheet.check_fields(given)
    variables = {str(name): str(value) for name, value in sheet.mapping(text, "variables").items()}
    if given.get("ansi"):  # Textual's own style sheets need more variables of such a theme
        variables = {**BUILTIN_THEMES["ansi-dark" if given.get("dark", True) else "ansi-light"].variables, **variables}
    sheet.check_variables(variables)
    theme = Theme(**{**given, "name": str(given["name"]), "variables": {**variables, **_variables(sheet, ours, given)}})
    glyphs = {name: str(glyph) for name, glyph in sheet.mapping(ours, "glyphs", set(LOOKS)).items()}
    for name, glyph in glyphs.items():
        if len(glyph) != 1 or not glyph.isprintable():
            sheet.refuse("needs exactly one character for a glyph", name)
    return Skin(theme, Looks(glyphs, ascii_bars=ours.get("bar") == "ascii"))


def _variables(sheet: _Sheet, ours: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, str]:
    """Our block as CSS variables."""
    found: dict[str, str] = {}
    for name, value in sheet.mapping(ours, "states", set(STYLES)).items():
        found[f"state-{name}"] = sheet.colour(str(value), given, name)
    for name in ("quiet", "rule"):
        if name in ours:
            found[name] = sheet.colour(str(ours[name]), given, name)
    cursor = sheet.mapping(ours, "cursor", {"background", "foreground", "style"})
    for name, value in cursor.items():
        found[f"row-{name}"] = str(value) if name == "style" else sheet.colour(str(value), given, name)
    if cursor.get("style", "none") not in ("none", "bold", "reverse"):
        sheet.refuse("has a cursor style that is none of none, bold and reverse", "style")
    return found


class _Sheet:
    """A theme file that is being read: turns what is wrong into sentences."""

    def __init__(self, path: Path, lines: Mapping[str, int]) -> None:
        self._path = path
        self._lines = lines

    def refuse(self, what: str, key: str = "") -> None:
        """Raise the sentence."""
        raise _Unusable(f"The theme file {self._path}, line {self._lines.get(key, 1)}, {what}; it is left out.")

    def mapping(self, text: Mapping[str, Any], key: str, allowed: set[str] | None = None) -> dict[str, Any]:
        """The mapping under a key; empty if there is none."""
        value = text.get(key) or {}
        if not isinstance(value, dict):
            self.refuse(f"needs a mapping for {key!r}", key)
        for name in value:
            if allowed is not None and name not in allowed:
                self.refuse(f"has an unknown key {name!r} in {key!r}", str(name))
        return dict(value)

    def check_fields(self, given: Mapping[str, Any]) -> None:
        """Refuse what Textual would stumble over when it shows the theme."""
        for name in sorted(_COLOURS & given.keys()):
            self.colour(str(given[name]), {}, name)
        for name in ("dark", "ansi"):
            if not isinstance(given.get(name, False), bool):
                self.refuse(f"needs true or false for {name!r}", name)
        for name in ("luminosity_spread", "text_alpha"):
            share = given.get(name, 0)
            if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
                self.refuse(f"needs a number from 0 to 1 for {name!r}", name)

    def check_variables(self, variables: Mapping[str, str]) -> None:
        """Refuse values that no style sheet takes: a colour (`red`, `#fff 50%`, `auto 87%`), or the style of a text."""
        for name, value in variables.items():
            default = _KNOWN.get(name, "")
            fits = _STYLE if "-style" in name else _colour_like if _colour_like(default) else _HARMLESS
            if not _HARMLESS(value) or (name in _KNOWN and not fits(value)):
                self.refuse(f"has {value!r} for {name!r}, which is not what it takes", name)

    def colour(self, value: str, given: Mapping[str, Any], key: str) -> str:
        """A colour that Textual takes, with `$NAME 60%` worked out."""
        word, _, share = value.partition(" ")
        try:
            found = Color.parse(str(given[word[1:]]) if word.startswith("$") else word)
            if not share:
                return found.css if found.ansi is None else (str(given[word[1:]]) if word.startswith("$") else word)
            ground = Color.parse(str(given.get("background", "#121212")))
            return ground.blend(found, float(share.strip().removesuffix("%")) / 100).hex
        except (ColorParseError, KeyError, ValueError):
            self.refuse(f"has {value!r} for {key!r}, which is not a colour", key)
            raise


def _document(source: str) -> tuple[yaml.Node | None, Any]:
    """What stands there, as nodes and as values. Raises YAMLError."""

    def of(loader: yaml.SafeLoader) -> tuple[yaml.Node | None, Any]:
        node = loader.get_single_node()
        return node, None if node is None else loader.construct_document(node)

    try:
        return of(_QUICK(source))
    except yaml.YAMLError:
        return of(yaml.SafeLoader(source))  # it tells better where it went wrong


def _parse(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """The file's mapping, and the line of each key."""
    try:
        source = path.read_text(encoding="utf-8")
        node, text = _document(source)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _Unusable(f"The theme file {path}, line {line}, is not YAML: {error.problem}; it is left out.") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _Unusable(f"The theme file {path} cannot be read: {error}; it is left out.") from error
    if not isinstance(text, dict):
        raise _Unusable(f"The theme file {path}, line 1, is not a mapping of theme fields; it is left out.")
    lines: dict[str, int] = {}
    _note_lines(node, lines)
    return text, lines


def _note_lines(node: object, lines: dict[str, int]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            lines.setdefault(str(key.value), key.start_mark.line + 1)
            _note_lines(value, lines)


_PLAIN_SKIN = Skin(Theme(name="plain", primary="#7aa7d9", variables=dict(FALLBACKS)), Looks())
