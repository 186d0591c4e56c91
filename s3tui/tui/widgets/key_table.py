"""Every action of the program: its keys, its id, where it works."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rich.cells import cell_len

from s3tui.text import display_text
from s3tui.tui.cells import left
from s3tui.tui.commands import COMMANDS, Command, Where, key_word, key_words
from s3tui.tui.keymap import is_remapped, keys_of
from s3tui.tui.widgets.line_table import LineTable, Piece

_LEAD = 2
_SHORT_PLACE = 16
"""Cells for the name of a place, where the whole names leave too little."""


class _Columns(NamedTuple):
    """Cells of each column; 0: left out."""

    keys: int
    id: int
    where: int
    what: int


class KeyTable(LineTable):
    """One line per action, place by place."""

    def __init__(self, keymap: Mapping[str, str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        order = list(Where)
        self._keymap = keymap
        self._commands = sorted(COMMANDS, key=lambda command: order.index(command.where))
        self._keys = [" ".join(map(key_word, keys_of(command, keymap))) for command in self._commands]
        self._own = [is_remapped(command, keymap) for command in self._commands]

    def on_mount(self) -> None:
        """All lines are here at once."""
        self.set_count(len(self._commands))

    def as_setting(self) -> str:
        """The line under the cursor as `ui.keys` wants it."""
        command = self._commands[self.cursor]
        return f"{command.id}: {display_text(','.join(keys_of(command, self._keymap)))}"

    # Drawing.

    def _columns(self, width: int) -> _Columns:
        keys = min(max(map(cell_len, self._keys)), width // 3)
        name = max(len(command.id) for command in self._commands)
        where = 0 if width < 60 else _SHORT_PLACE if width < 100 else max(len(place.value) for place in Where)
        used = _LEAD + 2 + keys + 1 + name + (where + 1 if where else 0) + 1
        return _Columns(keys, name, where, max(0, width - used))

    def header(self, width: int) -> Sequence[Piece]:
        """Names of the columns."""
        columns = self._columns(width)
        names = [left("Keys", columns.keys), left("Id", columns.id)]
        names += [left("Where", columns.where)] if columns.where else []
        return [(" " * (_LEAD + 2) + " ".join([*names, left("What", columns.what)]), "heading")]

    def line(self, index: int, width: int) -> Sequence[Piece]:
        """One action. A star, a word and a colour mark what was remapped."""
        command, own, columns = self._commands[index], self._own[index], self._columns(width)
        pieces: list[Piece] = [("▌ " if index == self.cursor else "  ", "mark"), ("* " if own else "  ", "active")]
        pieces += [
            (left(self._keys[index], columns.keys) + " ", "active" if own else "strong"),
            (left(command.id, columns.id) + " ", ""),
        ]
        if columns.where:
            pieces.append((left(command.where.value, columns.where) + " ", "quiet"))
        what = _was(command) if own else command.title
        pieces.append((left(what, columns.what), "active" if own else ""))
        return pieces


def _was(command: Command) -> str:
    return f"remapped, was {' '.join(key_words(command, {}))}: {command.title}"
