"""What `ui.keys` makes of the table of commands: the keys as Textual names them, and sentences about what cannot be meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from textual.binding import Binding, InvalidBinding
from textual.keys import Keys

from s3tui.text import display_text
from s3tui.tui.commands import SCREENS, Command, Where, commands_of, key_word, unknown_ids

_SIGNS = (chr(code) for code in range(33, 127) if chr(code) != ",")
_NAMES = (
    {key.value for key in Keys}
    | {"comma"}
    | {binding.key for binding in Binding.make_bindings([Binding(sign, "") for sign in _SIGNS])}
)
"""Names of keys that are longer than a character; a comma keeps keys apart, so it has only its name."""
_TAKEN = {"shift+f3"}
"""What terminals send for it says where the cursor is, too, and is always taken for that."""
_MODIFIERS = {"ctrl", "shift", "alt", "super", "hyper", "meta"}


@dataclass(frozen=True, slots=True)
class Clash:
    """One key that means several things where it is pressed."""

    key: str
    ids: tuple[str, ...]
    """The commands, in the order of the table."""
    places: tuple[str, ...]
    """Headings of the screens."""

    def __str__(self) -> str:
        """`x means pause and cancel on Jobs and Transfers`."""
        return f"{display_text(key_word(self.key))} means {_and(self.ids)} on {_and(self.places)}"


def keys_of(command: Command, keymap: Mapping[str, str]) -> list[str]:
    """The keys of a command as Textual names them, the mapping applied; the command's own where that names none."""
    return _named(keymap.get(command.id, "")) or _named(command.keys)


def is_remapped(command: Command, keymap: Mapping[str, str]) -> bool:
    """Whether the mapping gives a command other keys than its own."""
    return sorted(keys_of(command, keymap)) != sorted(_named(command.keys))


def clashes(keymap: Mapping[str, str]) -> list[Clash]:
    """The keys that the mapping gives several meanings on one screen."""
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for places in SCREENS:
        owners: dict[str, list[str]] = {}
        for command in commands_of(*places, Where.APP):
            for key in keys_of(command, keymap):
                owners.setdefault(key, []).append(command.id)
        for key, ids in owners.items():
            if len(set(ids)) > 1:
                found.setdefault((key, tuple(dict.fromkeys(ids))), []).append(places[0].value)
    return [Clash(key, ids, tuple(screens)) for (key, ids), screens in found.items()]


def unusable(keymap: Mapping[str, str]) -> dict[str, str]:
    """By id, what of a mapping no keyboard sends; empty text: there is no key at all."""
    bad: dict[str, str] = {}
    for name, keys in keymap.items():
        wrong = [key.strip() for key in keys.split(",") if not _is_key(key.strip())]
        if not _named(keys):
            bad[name] = ""
        elif wrong:
            bad[name] = wrong[0]
    return bad


def key_problems(keymap: Mapping[str, str]) -> list[str]:
    """A sentence for each thing about `ui.keys` that cannot be meant: unknown ids, keys that do not exist, clashes."""
    told: list[str] = []
    unknown = unknown_ids(keymap)
    if unknown:
        word = "action" if len(unknown) == 1 else "actions"
        told.append(f"ui.keys: unknown {word} {_and(unknown)}; the screen Keys lists all.")
    told += [unusable_sentence(name, key) for name, key in unusable(keymap).items()]
    found = clashes(usable(keymap))
    if found:
        told.append(clash_sentence(found))
    return [display_text(sentence) for sentence in told]


def usable(keymap: Mapping[str, str]) -> dict[str, str]:
    """The part of a mapping that can be used."""
    left_out = {*unknown_ids(keymap), *unusable(keymap)}
    return {name: keys for name, keys in keymap.items() if name not in left_out}


def unusable_sentence(name: str, key: str) -> str:
    """About keys that are left out."""
    if not key:
        return f"ui.keys: {name} has no key; name one like f9, or leave it out."
    return f"ui.keys: {name} has the key {key!r}, which no keyboard sends; write it like f9, ctrl+x or x."


def clash_sentence(found: Iterable[Clash]) -> str:
    """One sentence about all clashes."""
    return f"ui.keys: {'; '.join(map(str, found))}: give each a key of its own."


def _named(keys: str) -> list[str]:
    """Keys of a list with commas, each as Textual names it."""
    try:
        return [binding.key for binding in Binding.make_bindings([Binding(keys, "")])]
    except InvalidBinding:
        return []


def _is_key(key: str) -> bool:
    *modifiers, name = key.split("+") if len(key) > 1 else [key]
    if not _MODIFIERS.issuperset(modifiers) or not name or key in _TAKEN:
        return False
    return len(name) == 1 or name in _NAMES


def _and(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
