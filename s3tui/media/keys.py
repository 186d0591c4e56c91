"""The key of encrypted segments: the file that its owner keeps, and the address at which players get it.

The file is read when a video begins. Nothing writes the key down, and no address is ever opened: who may have the key is decided by
whoever serves it.
"""

from __future__ import annotations

import os
import re
import stat
from urllib.parse import urlsplit

from s3tui.errors import TranscodeError
from s3tui.text import display_text

_SIZE = 16
_LONGEST = 2000
_URI = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+")
"""What addresses are written with (RFC 3986, 2)."""


def read_key(path: str) -> bytes:
    """The 16 bytes of the key. Raises TranscodeError (`no_key`) if the file is anything else, or cannot be read."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise _unusable(path, "it is no regular file")
            key = os.read(file, _SIZE + 1)
        finally:
            os.close(file)
    except OSError as error:
        raise _unusable(path, (error.strerror or "unknown error").lower()) from error
    except ValueError as error:
        raise _unusable(path, "no file's name has a NUL in it") from error
    if len(key) != _SIZE:
        raise _unusable(path, f"it has {'more than' if len(key) > _SIZE else f'{len(key)} and not'} 16 bytes")
    return key


def check_address(text: str) -> None:
    """See that players can be told this address of a key. Raises ValueError with the cause."""
    if len(text) > _LONGEST:
        raise ValueError(f"it is longer than {_LONGEST} characters")
    if not _URI.fullmatch(text):
        raise ValueError("it is not written as a URL is; spaces, quotation marks and letters beyond ASCII are percent-encoded")
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise ValueError(f"it is not a URL ({error})") from error
    if parts.scheme not in ("", "http", "https") or (parts.scheme and not parts.hostname):
        raise ValueError("it is neither an http or https URL nor relative to the playlists")
    if "@" in parts.netloc:
        raise ValueError("it has a user's name or password in it, and everybody can read the playlists")


def _unusable(path: str, cause: str) -> TranscodeError:
    return TranscodeError(
        f"The key {display_text(path)} cannot be used: {cause}. Let --hls-key or video.hls_key name a file of exactly 16 bytes.",
        "no_key",
    )
