"""How ffmpeg is made to open somebody's file: whatever reads one passes through here.

Playlists and concat scripts are texts that ffmpeg follows to other files, whatever they are called. With a list of protocols alone,
one upload could still play another; the list of containers stops that.
"""

from __future__ import annotations

import os

_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,flv,asf,ogg,mpeg,mpegvideo,wav,mp3,aac,flac"
"""Demuxers that read nothing but the file they are given; those of sound are there to be refused as such."""
CONTAINERS_SHOWN = "MP4, MOV, Matroska, WebM, AVI, MPEG-TS, MPEG, FLV, ASF or Ogg"
"""The same for people."""
EXTENSIONS = (
    *("mp4", "m4v", "mov", "3gp", "3g2", "mkv", "webm", "avi", "ts", "mts", "m2ts"),
    *("mpg", "mpeg", "flv", "wmv", "asf", "ogv"),
)
"""How the names of videos in these containers end: what is taken of a folder."""


def opening(path: bytes) -> list[str]:
    """The arguments that make ffmpeg open the file at this absolute path, and no other."""
    if not path.startswith(b"/"):
        raise ValueError("the path must be absolute: ffmpeg takes others for options or protocols")
    return ["-protocol_whitelist", "file", "-format_whitelist", _CONTAINERS, "-i", "file:" + os.fsdecode(path)]
