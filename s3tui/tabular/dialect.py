"""Finds out how a file is written: the delimiter and the quote under which the records at its beginning have the header's width.

The first record decides what a width is, so a comma that only stands in numbers, or a semicolon in some texts, is no candidate.
What is not clear is refused: a wrong delimiter would make one column of everything, without an error.
"""

from __future__ import annotations

import re
from collections import Counter

from s3tui.tabular.fields import fields_of
from s3tui.tabular.grammar import Dialect, grammar_of
from s3tui.text import separated_words

_DELIMITERS = ("\t", "|", ";", ",")
"""Of two that fit equally well the one that is rarer in texts."""
_RECORDS = 500
_UNITS = 64 << 10
_ENOUGH = 0.5
"""Of the records must have the width."""
_NAMED = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
_QUOTES = {"none": "", "": "", "double": '"', "single": "'"}


def delimiter_named(text: str) -> str:
    """The delimiter that `;`, `tab`, `\\t` or `pipe` means. Raises ValueError."""
    delimiter = _NAMED.get(text, text)
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in "\"'\r\n\0" or delimiter.isalnum():
        raise ValueError(f"{text!r} is no delimiter; give one character like , or ; or |, or tab")
    return delimiter


def quote_named(text: str) -> str:
    """The quote that `"`, `'` or `none` means. Raises ValueError."""
    quote = _QUOTES.get(text, text)
    if quote not in ('"', "'", ""):
        raise ValueError(f"{text!r} is no quote; give \" or ' or none")
    return quote


def detect_dialect(bones: bytes, *, whole: bool, delimiter: str = "", quote: str | None = None) -> Dialect:
    """The dialect of a skeleton that begins with the first record; what is given is not looked for.

    Raises ValueError if no delimiter fits.
    """
    beginning = bones[:_UNITS]
    whole = whole and len(beginning) == len(bones)
    delimiters = (delimiter,) if delimiter else tuple(item for item in _DELIMITERS if item.encode() in beginning)
    candidates = [_quoted(beginning, item, quote, whole=whole) for item in delimiters]
    if delimiter:
        return candidates[0]
    scored = [
        (_share(widths, widths[0]), candidate)
        for candidate in candidates
        if (widths := _widths(beginning, candidate, whole=whole))[0] > 1
    ]
    if not scored:
        return _one_column(beginning, candidates, quote, whole=whole)
    share, best = max(scored, key=lambda pair: pair[0])
    if share < _ENOUGH:
        raise ValueError(
            f"its delimiter is not clear: taken as {separated_words(best.delimiter)}, only {share:.0%} of its records are as wide "
            "as its header; give the delimiter"
        )
    return best


def _quoted(bones: bytes, delimiter: str, quote: str | None, *, whole: bool) -> Dialect:
    """With the quote that the fields are in: the single one only if every field that begins with it ends with it, too."""
    if quote is not None:
        return Dialect(delimiter, quote)
    double, single = Dialect(delimiter, '"'), Dialect(delimiter, "'")
    edge = rb"(?:^|(?<=[\r\n" + re.escape(delimiter.encode()) + rb"]))"
    if re.search(edge + b'"', bones):
        return double
    opened = len(re.findall(edge + b"'", bones))
    closed = len(re.findall(edge + rb"'[^']*+(?:''[^']*+)*+'(?=[\r\n" + re.escape(delimiter.encode()) + rb"]|$)", bones))
    if opened < 2 or closed < opened - (not whole):
        return double
    one, other = (_widths(bones, dialect, whole=whole) for dialect in (single, double))
    return single if _share(one, one[0]) >= _share(other, other[0]) else double


def _one_column(bones: bytes, candidates: list[Dialect], quote: str | None, *, whole: bool) -> Dialect:
    """Nothing cuts the first record: the file has one column, unless the others are wider."""
    for candidate in candidates:
        widths = _widths(bones, candidate, whole=whole)[1:]
        width, count = Counter(widths).most_common(1)[0] if widths else (1, 0)
        if width > 1 and len(widths) > 1 and count / len(widths) >= _ENOUGH:
            raise ValueError(
                f"its first record has one column and most of the others have {width}, {separated_words(candidate.delimiter)}; "
                "remove what stands above the header, or give the delimiter"
            )
    return Dialect(",", '"' if quote is None else quote)


def _share(widths: list[int], width: int) -> float:
    return widths.count(width) / len(widths)


def _widths(bones: bytes, dialect: Dialect, *, whole: bool) -> list[int]:
    """Fields of each of the first records that are not blank, 0 for one whose quoting breaks; never empty."""
    grammar = grammar_of(dialect)
    widths: list[int] = []
    start = 0
    while start < len(bones) and len(widths) < _RECORDS:
        extent = grammar.record(bones, start, len(bones), last=whole)
        if extent.end < 0:
            break
        record = bones[start : extent.end].rstrip(b"\r\n")
        start = extent.end
        if record:
            widths.append(0 if extent.fault else len(fields_of(record.decode("latin-1"), dialect)))
    return widths or [1]
