"""Which characters the bytes of a file are: found at its beginning, or given by people, and always told.

All that is read here has its commas, quotes and line ends as single units of one byte (UTF-8, and what extends ASCII a byte at a
time) or of two (UTF-16). `skeleton` makes one byte of each unit, so that the cutting of records need not know the encoding.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_WIDE_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_WIDE = frozenset({"utf-16-le", "utf-16-be"})
_SINGLE_BYTE = frozenset(
    {"ascii", "koi8-r", "koi8-u", "mac-roman", "cp437", "cp850", "cp852", "cp858", "cp866", "tis-620"}
    | {f"cp{number}" for number in range(1250, 1259)}
    | {f"iso8859-{number}" for number in range(1, 17)}
)
_SHOWN = {"utf-8": "UTF-8", "utf-16-le": "UTF-16 LE", "utf-16-be": "UTF-16 BE", "cp1252": "Windows-1252", "iso8859-1": "Latin-1"}
_MANY, _FEWER = 0.3, 4
"""So many of the pairs of bytes of UTF-16 text have a zero as the high byte, at least, and so many times fewer as the low one."""
_MARKING = "s3tui.tabular.marking"
_BONES = bytes([0]) + bytes([0xFF]) * 255


@dataclass(frozen=True, slots=True)
class Encoding:
    """`name` is Python's, of the bytes behind the mark; `mark` how many bytes the byte order mark has."""

    name: str
    mark: int = 0
    how: str = "given"
    """`given` by people, `marked` by the file, `valid` for all that was looked at, or `assumed`: it may be another one."""

    def __str__(self) -> str:
        """`UTF-8`, `UTF-16 LE (marked)`, `Windows-1252 (assumed: it is not UTF-8)`."""
        cause = "it has no mark" if self.name in _WIDE else "it is not UTF-8"
        return self.shown + {"marked": " (marked)", "assumed": f" (assumed: {cause})"}.get(self.how, "")

    @property
    def shown(self) -> str:
        return _SHOWN.get(self.name, self.name)


def unit_width(encoding: str) -> int:
    """Bytes of a unit."""
    return 2 if encoding in _WIDE else 1


def encoding_named(name: str) -> str:
    """Python's name of an encoding that can be read here; `utf-16` stays what it is. Raises ValueError: cause and way out."""
    try:
        found = codecs.lookup(name).name
    except LookupError:
        raise ValueError(f"{name!r} is no known encoding; give one like utf-8, utf-16 or latin-1") from None
    if found == "utf-8-sig":
        return "utf-8"
    if found == "utf-16" or found == "utf-8" or found in _WIDE or found in _SINGLE_BYTE:
        return found
    raise ValueError(f"{name!r} cannot be read in ranges; convert the file to UTF-8 first, for instance with iconv")


def detect_encoding(sample: bytes, *, whole: bool, given: str = "") -> Encoding:
    """The encoding of a file that begins with these bytes; `whole`: they are all of it. Raises as `encoding_named` does."""
    marked = _marked(sample)
    if given:
        name = encoding_named(given)
        if name == "utf-16":
            return Encoding(marked.name, marked.mark) if marked and marked.name in _WIDE else Encoding(_wide(sample) or "utf-16-le")
        return Encoding(name, marked.mark if marked and marked.name == name else 0)
    if sample.startswith(_WIDE_MARKS):
        raise ValueError("it is UTF-32; convert it to UTF-8 first, for instance with iconv")
    if marked:
        return marked
    wide = _wide(sample)
    return Encoding(wide, how="assumed") if wide else _narrow(sample, whole=whole)


def skeleton(raw: bytes, encoding: str) -> bytes:
    """One byte for each unit: the character itself if it is ASCII, and one above 0x7F for any other."""
    if encoding not in _WIDE:
        return raw
    if len(raw) % 2:
        return skeleton(raw[:-1], encoding) + b"\xff"
    low, high = (raw[0::2], raw[1::2]) if encoding == "utf-16-le" else (raw[1::2], raw[0::2])
    if high.count(0) == len(high):
        return low
    mask = int.from_bytes(high.translate(_BONES), "little")
    return (int.from_bytes(low, "little") | mask).to_bytes(len(low), "little")


def decode_marked(raw: bytes, encoding: str) -> str:
    """The text of any bytes: one that is not part of a character, NN, becomes U+DCNN, which no text holds."""
    return raw.decode(encoding, _MARKING)


def _mark_bytes(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_MARKING, _mark_bytes)


def _marked(sample: bytes) -> Encoding | None:
    for mark, name in _MARKS:
        if sample.startswith(mark):
            return Encoding(name, len(mark), "marked")
    return None


def _wide(sample: bytes) -> str | None:
    pairs = len(sample) // 2
    if not pairs:
        return None
    first, second = (sample[start : pairs * 2 : 2].count(0) / pairs for start in (0, 1))
    if second >= max(_MANY, first * _FEWER):
        return "utf-16-le"
    if first >= max(_MANY, second * _FEWER):
        return "utf-16-be"
    return None


def _narrow(sample: bytes, *, whole: bool) -> Encoding:
    """UTF-8 unless more of what is not ASCII breaks its rules than keeps them."""
    text, _ = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(sample, whole), None
    broken = sum("\udc80" <= character <= "\udcff" for character in text) if not text.isascii() else 0
    kept = sum(character > "\x7f" for character in text) - broken if broken else 0
    if broken <= kept:
        return Encoding("utf-8", how="valid")
    try:
        sample.decode("cp1252")
    except UnicodeDecodeError:
        return Encoding("iso8859-1", how="assumed")
    return Encoding("cp1252", how="assumed")
