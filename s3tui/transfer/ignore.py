"""Ignore files: patterns in the syntax of gitignore, compiled, with git's own verdicts on every name.

A walk asks about each entry on its way down and does not descend into a directory that is ignored. So a pattern is matched against
the entry alone, never against what lies above it, and nothing below an ignored directory can be taken again: both as git does.

Paths are bytes, and so are patterns: `?` is one byte, as it is for git. All patterns become one regular expression, the last of
them first, so that an entry costs one match.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from s3tui.errors import SpecError
from s3tui.text import display_text

_MAX_BYTES = 1 << 20
"""Patterns are kept with the job, so a file of them must be small."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SPECIAL = re.compile(rb"[*?\[\\]")
_STARS_AND_SLASH = re.compile(rb"\*\*+(?:/|(?=\\/)|\Z)")
_TRAILING_SPACES = re.compile(rb"((?:[^ \\]|\\.| +(?=[^ ]))*) *", re.DOTALL)
_MEMBER = re.compile(rb"\[:(?P<named>[^\]]*):\]|(?P<first>\\.|[^\\])(?:-(?P<last>\\.|[^\\\]]))?", re.DOTALL)
_STAR = rb"[^/]*"
_ANY_DIRECTORIES = rb"(?:.*/)?"
_TO_BASE_NAME = _ANY_DIRECTORIES + rb"(?=[^/]+/?\Z)"
_SHORTEST = {_ANY_DIRECTORIES: rb"(?:.*?/)??", rb".*/": rb".*?/"}
"""Of each way to pass over directories, the one that prefers few of them."""
_DIRECTORIES = re.compile(rb"(%s)" % b"|".join(map(re.escape, _SHORTEST)))
_AS_DIRECTORY = rb"(?<!/)/"
_AS_ANY = rb"(?<!/)/?"
_CLASSES = {
    b"alnum": rb"0-9A-Za-z",
    b"alpha": rb"A-Za-z",
    b"blank": rb" \t",
    b"cntrl": rb"\x00-\x1f\x7f",
    b"digit": rb"0-9",
    b"graph": rb"!-~",
    b"lower": rb"a-z",
    b"print": rb" -~",
    b"punct": rb"!-/:-@\[-`{-~",
    b"space": rb"\t-\r ",
    b"upper": rb"A-Z",
    b"xdigit": rb"0-9A-Fa-f",
}


class Ignored:
    """The patterns of ignore files, in order: of those that match an entry the last decides."""

    def __init__(self, lines: Sequence[str]) -> None:
        patterns = [pattern for line in lines if (pattern := _pattern(line.encode("utf-8", "surrogateescape")))]
        self._match = re.compile(_expression(patterns), re.DOTALL).match if patterns else None

    def __bool__(self) -> bool:
        """Whether there are any."""
        return self._match is not None

    def ignores(self, relative: bytes) -> bool:
        """Whether an entry is ignored, if none of the directories above it is; a directory's path ends in a slash."""
        if self._match is None:
            return False
        match = self._match(relative)
        return match is not None and match.lastindex is not None


def read_ignore_file(path: str) -> tuple[str, ...]:
    """The lines of an ignore file that say something. Raises SpecError."""
    shown = display_text(path)
    try:
        with Path(path).open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        cause = (error.strerror or "unknown error").lower()
        raise SpecError(f"The ignore file {shown} cannot be read: {cause}. Check the path given to --ignore-file.") from error
    if len(content) > _MAX_BYTES:
        raise SpecError(f"The ignore file {shown} is larger than 1 MiB. Give it fewer patterns, or list the files by --files-from.")
    try:
        lines = content.removeprefix(_BYTE_ORDER_MARK).decode().split("\n")
    except UnicodeDecodeError as error:
        raise SpecError(f"The ignore file {shown} cannot be used: byte {error.start} is not UTF-8. Save it as UTF-8.") from error
    return tuple(line for line in (line.removesuffix("\r") for line in lines) if line and not line.startswith("#"))


class _Pattern(NamedTuple):
    """One pattern as a regular expression for the entry itself."""

    ignores: bool
    by_name: bool
    """Whether it is matched against the base name alone."""
    expression: bytes


def _pattern(line: bytes) -> _Pattern | None:
    """The pattern of a line; None if it has none, or one that can match nothing."""
    text = _without_trailing_spaces(line)
    if not text or text.startswith(b"#"):
        return None
    ignores = not text.startswith(b"!")
    text = text if ignores else text[1:]
    of_directories = text.endswith(b"/")
    text = text.removesuffix(b"/")
    by_name = b"/" not in text
    expression = _translated(text.removeprefix(b"/"))
    if not text or expression is None:
        return None
    return _Pattern(ignores, by_name, expression + (_AS_DIRECTORY if of_directories else _AS_ANY))


def _without_trailing_spaces(line: bytes) -> bytes:
    """A space at the end counts only behind a backslash."""
    match = _TRAILING_SPACES.fullmatch(line)
    return match[1] if match is not None else line


def _expression(patterns: Sequence[_Pattern]) -> bytes:
    """Matches what a pattern matches; only an ignoring pattern captures something."""
    runs = groupby(reversed(patterns), key=attrgetter("ignores"))
    return b"|".join(b"(%s%s)" % (b"" if ignores else b"?:", _any_of(list(run))) for ignores, run in runs)


def _any_of(patterns: Sequence[_Pattern]) -> bytes:
    names = [pattern.expression for pattern in patterns if pattern.by_name]
    paths = [pattern.expression for pattern in patterns if not pattern.by_name]
    below = [_TO_BASE_NAME + b"(?:%s)" % b"|".join(names)] if names else []
    return b"(?:%s)\\Z" % b"|".join([*paths, *below])


def _translated(pattern: bytes) -> bytes | None:
    """A pattern without its outer slashes as a regular expression; None if it is malformed, as then it matches nothing.

    What comes before the first special character is compared by itself, and the rest stands as if the pattern began there.
    """
    special = _SPECIAL.search(pattern)
    begin = special.start() if special is not None else len(pattern)
    pieces = list(_pieces(pattern, begin))
    return None if None in pieces else re.escape(pattern[:begin]) + _step_by_step(b"".join(filter(None, pieces)))


def _step_by_step(expression: bytes) -> bytes:
    """The same expression, in which many `**/` take no longer than one.

    What stands between two of them is best taken where it comes first, as the second of them passes over any rest: no other place
    need be tried.
    """
    first, *steps = _DIRECTORIES.split(expression)
    if not steps:
        return _star_by_star(first)
    *between, jump, last = steps
    taken = [b"(?>%s%s)" % (_SHORTEST[over], _star_by_star(part)) for over, part in zip(between[::2], between[1::2], strict=True)]
    return b"".join([_star_by_star(first), *taken, jump, _star_by_star(last)])


def _star_by_star(expression: bytes) -> bytes:
    """The same of stars, in what has no `**/`."""
    first, *between = expression.split(_STAR)
    if not between:
        return first
    *between, last = between
    return first + b"".join(b"(?>%s?%s)" % (_STAR, part) for part in between) + _STAR + last


def _pieces(pattern: bytes, begin: int) -> Iterator[bytes | None]:
    position = begin
    while position < len(pattern):
        stars = _STARS_AND_SLASH.match(pattern, position)
        if stars and (position == begin or pattern[position - 1 : position] == b"/"):
            yield _ANY_DIRECTORIES if stars[0].endswith(b"/") else rb".*"
            position = stars.end()
            continue
        character = pattern[position : position + 1]
        if character == b"[":
            members, position = _class(pattern, position + 1)
            yield members
            continue
        if character == b"*":
            yield _STAR
        elif character == b"?":
            yield rb"[^/]"
        elif character == b"\\":
            position += 1
            yield re.escape(pattern[position : position + 1]) or None
        else:
            yield re.escape(character)
        position += 1


def _class(pattern: bytes, begin: int) -> tuple[bytes | None, int]:
    """The class whose members begin there, and where it ends; None if it is malformed. No class holds a slash."""
    negated = pattern[begin : begin + 1] in (b"!", b"^")
    begin += negated
    members, position = b"", begin
    while position == begin or pattern[position : position + 1] != b"]":
        member = _MEMBER.match(pattern, position)
        if member is None or (member["named"] is not None and member["named"] not in _CLASSES):
            return None, len(pattern)
        members += _members(member)
        position = member.end()
    return b"(?!/)[%s%s]" % (b"^" if negated else b"", members), position + 1


def _members(member: re.Match[bytes]) -> bytes:
    """A range holds its first character even if it runs backwards."""
    if member["named"] is not None:
        return _CLASSES[member["named"]]
    first, last = _literal(member["first"]), _literal(member["last"] or b"")
    return b"%s%s-%s" % (first, first, last) if last and first <= last else first


def _literal(character: bytes) -> bytes:
    """A character, with or without a backslash before it, as a class of a regular expression has it."""
    return b"\\x%02x" % character[-1] if character else b""
