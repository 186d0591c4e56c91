"""Cuts a text into records by its characters, one after the other: what the room's grammar says, in another way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from s3tui.tabular.grammar import Dialect


@dataclass
class Record:
    line: int
    text: str = ""
    fields: list[str] = field(default_factory=list)
    fault: str = ""


def records_of(text: str, dialect: Dialect) -> Iterator[Record]:
    at, line = 0, 1
    while at < len(text):
        end, record = _record(text, at, dialect)
        record.line, record.text = line, text[at:end].rstrip("\r\n")
        yield record
        line += max(1, _line_ends(text[at:end]))
        at = end


def _record(text: str, at: int, dialect: Dialect) -> tuple[int, Record]:
    record, value, state, opened = Record(0), "", "start", at
    while at < len(text):
        character = text[at]
        if state == "quoted":
            if character != dialect.quote:
                value += character
            elif text[at + 1 : at + 2] == dialect.quote:
                value += character
                at += 1
            else:
                state = "closed"
        elif character in "\r\n":
            record.fields.append(value)
            return _behind_line(text, at), record
        elif character == dialect.delimiter:
            record.fields.append(value)
            value, state = "", "start"
        elif state == "closed":
            record.fault = "text_after_quote"
            return _next_line(text, at), record
        elif state == "start" and dialect.quote and character == dialect.quote:
            state, opened = "quoted", at
        else:
            value, state = value + character, "bare"
        at += 1
    if state == "quoted":
        record.fault = "unclosed_quote"
        return _next_line(text, opened), record
    record.fields.append(value)
    return at, record


def _behind_line(text: str, at: int) -> int:
    return at + 2 if text[at : at + 2] == "\r\n" else at + 1


def _next_line(text: str, at: int) -> int:
    while at < len(text) and text[at] not in "\r\n":
        at += 1
    return _behind_line(text, at) if at < len(text) else at


def _line_ends(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")
