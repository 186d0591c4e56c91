"""Handlers are found by their names: one that is called after a message that there is not is never called."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

from textual.message import Message

import s3tui.tui

_HANDLER = re.compile(r"^    (?:async )?def (on_\w+)\(", re.MULTILINE)


def messages(kind: type[Message] = Message) -> Iterator[type[Message]]:
    """Every message that a loaded module declares."""
    for message in kind.__subclasses__():
        yield message
        yield from messages(message)


def test_every_handler_is_called_after_a_message_that_there_is() -> None:
    modules = [importlib.import_module(found.name) for found in pkgutil.walk_packages(s3tui.tui.__path__, "s3tui.tui.")]
    known = {message.handler_name for message in messages()}
    found = {(module.__name__, name) for module in modules for name in _HANDLER.findall(Path(str(module.__file__)).read_text())}
    assert len(found) > 50
    assert sorted(handler for handler in found if handler[1] not in known) == []
