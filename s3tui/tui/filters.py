"""The last thing that happens to text before it is painted, whichever widget it comes from."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter


class Printable(LineFilter):
    """No character that a terminal might obey, and none that shifts a line, leaves the UI.

    Names are shown with escapes where they are drawn; this is the net below that, and below what people paste into a field.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """The segments, as wide as they were."""
        if all(segment.text.isprintable() for segment in segments):
            return segments
        return [Segment("".join(map(_harmless, segment.text)), segment.style) for segment in segments]


def _harmless(character: str) -> str:
    return character if character.isprintable() else "?" * cell_len(character)


class AsciiGlyphs(LineFilter):
    """Lines, bars, arrows and marks as ASCII characters, for terminals and fonts without them. Letters stay as they are."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """The segments, as wide as they were."""
        if all(segment.text.isascii() for segment in segments):
            return segments
        return [Segment(segment.text.translate(_ASCII), segment.style) for segment in segments]


_ASCII: dict[int, int | str | None] = {
    **dict.fromkeys(range(0x2500, 0x2580), "+"),  # Box Drawing
    **dict.fromkeys(range(0x2580, 0x25A0), "#"),  # Block Elements
    **dict.fromkeys(range(0x2801, 0x2900), ":"),  # Braille Patterns
    **dict.fromkeys(map(ord, "─━┄┅┈┉╌╍═╴╶╸╺╼╾▔▀"), "-"),
    **dict.fromkeys(map(ord, "│┃┆┇┊┋╎╏║╵╷╹╻╽╿▌▍▎▏▐▕▊▋▉"), "|"),
    **str.maketrans("▁▂▃▄▅▆▇█░▒▓\u2800", "_.-=+*%#.:% "),
    **str.maketrans("…·•→←↑↓▸▶▾▼◂◀≡±", "~.*><^v>>vv<<=~"),
    **str.maketrans("✓✗✕×↻◇◆●○‖⌫‹›–—‘’“”⏎␣", "+xxx~??oo=x<>--''\"\"<_"),
}
