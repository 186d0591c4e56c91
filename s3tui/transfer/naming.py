"""From a local name to an object's key: `prefix + relative path`, if that can be a key at all."""

from __future__ import annotations

import re
from typing import NamedTuple

from s3tui.text import display_text

MAX_KEY_BYTES = 1024
"""S3's limit for a key in UTF-8, the prefix included."""

_SHOWN_BYTES = 60
"""What a sentence shows of a name that is too long anyway."""

_ESCAPE_LOOKALIKE = re.compile(r"%(?=[0-9A-Fa-f]{2})")


class Unnameable(NamedTuple):
    """Why a name cannot be a key: a stable word, and a sentence."""

    reason: str
    error: str


def key_for(relative: bytes, prefix: str, encode_names: str = "") -> str | Unnameable:
    """The key of a file, or why it has none.

    `encode_names` is empty, or `percent`: then each byte that is not UTF-8 becomes `%XX`, and in such a name (only there) a `%`
    that looks like an escape becomes `%25`, so that unquoting the key gives the name back.
    """
    try:
        name = relative.decode()
    except UnicodeDecodeError:
        if encode_names != "percent":
            return Unnameable(
                "name_not_utf8",
                f"The name of {display_text(relative)} is not UTF-8, so it cannot be an S3 key. "
                "Rename the file, or use --encode-names percent.",
            )
        name = _percent_encoded(relative)
    key = prefix + name
    # A character is at most 4 bytes of UTF-8: most keys need no second encoding to be known as short enough.
    if 4 * len(key) > MAX_KEY_BYTES and (length := len(key.encode())) > MAX_KEY_BYTES:
        return Unnameable(
            "key_too_long",
            f"The key of {display_text(relative[:_SHOWN_BYTES])}... would be {length} bytes long and S3 takes {MAX_KEY_BYTES}. "
            "Shorten the path, or the prefix of the target.",
        )
    return key


def _percent_encoded(name: bytes) -> str:
    text = _ESCAPE_LOOKALIKE.sub("%25", name.decode("utf-8", "surrogateescape"))
    return "".join(f"%{ord(character) - 0xDC00:02X}" if "\udc80" <= character <= "\udcff" else character for character in text)
