"""The commands that people are told to type, read from the pages."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from tests.docs.conftest import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(s3tui(?: [^`]+)?)`")
_HEADING = re.compile(r"^#.*$", re.MULTILINE)
_COMMENT = re.compile(r"(^|\s+)#\s.*$")
SHELLS = ("sh", "bash", "console", "shell")


@dataclass(frozen=True)
class Block:
    """A fenced block of commands."""

    page: str
    number: int
    lines: tuple[str, ...]
    """Without comments."""

    def __str__(self) -> str:
        return f"{self.page}-{self.number}"


def blocks() -> Iterator[Block]:
    """Every block of commands of every page."""
    for page in PAGES:
        found = [text for kind, text in _FENCE.findall(page.read_text()) if kind in SHELLS]
        for number, text in enumerate(found, 1):
            yield Block(page.relative_to(ROOT).as_posix(), number, tuple(commands(text)))


def commands(text: str) -> Iterator[str]:
    """The lines of a block; those that end in a backslash are one with the next."""
    for line in text.replace("\\\n", " ").splitlines():
        if command := _COMMENT.sub("", line).strip():
            yield command


def inline() -> Iterator[tuple[str, str]]:
    """(page, command) of what stands in sentences and tables; headings may be what the program says."""
    for page in PAGES:
        text = _HEADING.sub("", _FENCE.sub("", page.read_text()))
        for command in _INLINE.findall(text):
            yield page.relative_to(ROOT).as_posix(), command


def s3tui_words(line: str) -> Iterator[list[str]]:
    """The arguments of every `s3tui` that a line starts, whatever stands before it."""
    parts = shlex.shlex(line, posix=True, punctuation_chars="|&;<>()")
    parts.whitespace_split = True
    parts.commenters = ""
    words: list[str] | None = None
    for word in parts:
        if word == "s3tui" or word.endswith("/s3tui"):
            words = []
        elif words is not None and set(word) <= set("|&;<>()"):
            yield words
            words = None
        elif words is not None:
            words.append(word)
    if words is not None:
        yield words
