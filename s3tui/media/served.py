"""How the files of a video are called in the bucket, and how they are served."""

from __future__ import annotations

from dataclasses import dataclass

MASTER = "master.m3u8"
PLAYLIST = "index.m3u8"
KEY_FRAMES = "iframes.m3u8"
INIT = "init.mp4"

_SHORT = "public,max-age=5"
_IMMUTABLE = "public,max-age=31536000,immutable"


@dataclass(frozen=True, slots=True)
class Headers:
    """What a store answers with beside the bytes."""

    content_type: str
    cache_control: str


_HEADERS = {
    "m3u8": Headers("application/vnd.apple.mpegurl", _SHORT),
    "m4s": Headers("video/iso.segment", _IMMUTABLE),
    "mp4": Headers("video/mp4", _IMMUTABLE),
    "ts": Headers("video/mp2t", _IMMUTABLE),
    "vtt": Headers("text/vtt", _IMMUTABLE),
    "jpg": Headers("image/jpeg", _IMMUTABLE),
}
"""By what a name ends with."""


def headers(name: str) -> Headers:
    """For a file of a video. Raises KeyError for a name that no video has."""
    return _HEADERS[name.rpartition(".")[2]]
