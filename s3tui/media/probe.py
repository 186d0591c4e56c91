"""Looks at a file before anything is made of it: what it holds, or in one sentence why it cannot become a video.

Nothing in the file is trusted: ffmpeg opens it confined, follows it to no other file, and its time is limited.
"""

from __future__ import annotations

import logging
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from s3tui.errors import NotAFile, SourceChanged, SourceDenied, SourceError, SourceVanished, TranscodeError
from s3tui.media.binary import Ffmpeg
from s3tui.media.extent import Extent, measure_extent, read_level
from s3tui.media.listing import Listing, read_listing
from s3tui.media.opening import CONTAINERS_SHOWN, opening
from s3tui.media.process import run
from s3tui.media.sight import HEAD, is_encrypted, is_list, is_mp4, is_picture
from s3tui.media.source import Source, VideoStream
from s3tui.text import display_text

MOST_PIXELS = 8192 * 4320
"""Of a picture: what decoding takes memory for grows with it."""
SECONDS = 30.0
_FEWEST_PIXELS = 16
"""Of the shorter side."""
_MOST_STREAMS = 64
_LONGEST_US = 48 * 3600 * 1_000_000
"""Times of packets are claims too, and a hole in them is filled with pictures."""
_CLAIMING = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "flv", "asf"})
"""Containers whose headers tell the duration; of others ffmpeg has to guess it."""
_CPU_SECONDS = 20
_TAIL = 2000
"""Characters of what ffmpeg said that are logged."""

_log = logging.getLogger(__name__)


def probe(path: bytes, ffmpeg: Ffmpeg, *, most_pixels: int = MOST_PIXELS, seconds: float = SECONDS) -> Source:
    """What the file at an absolute path holds. `seconds` is how long ffmpeg may take to open it.

    Raises SourceError if it cannot be read or changes meanwhile, and TranscodeError if no video can be made of it (`empty`,
    `still_image`, `unsupported`, `unreadable`, `truncated`, `encrypted`, `audio_only`, `no_video`, `too_large`).
    """
    before = _fingerprint(path)
    size = before[0]
    _refuse_at_sight(path, size)
    listing = _listing(path, ffmpeg, seconds)
    video = _picture(path, listing, most_pixels)
    with ThreadPoolExecutor(1) as pool:
        level = pool.submit(read_level, path, video.index, ffmpeg) if video.codec == "h264" else None
        extent = _extent(path, size, listing, video, ffmpeg)
    if _fingerprint(path) != before:
        raise SourceChanged(f"{_shown(path)} changed while it was looked at. Retry when nothing writes to it.")
    return Source(
        path=path,
        container=listing.container,
        size=size,
        duration_us=extent.duration_us,
        video=replace(video, level=level.result() if level else 0),
        audio=listing.audio,
        subtitles=listing.subtitles,
        keyframe_gap_us=extent.keyframe_gap_us,
    )


def _shown(path: bytes) -> str:
    """The file's own name: the directory may be one of ours."""
    return display_text(os.path.basename(path))  # noqa: PTH119 - bytes


def _refusal(path: bytes, reason: str, cause: str) -> TranscodeError:
    return TranscodeError(f"Cannot make a video of {_shown(path)}: {cause}.", reason)


def _fingerprint(path: bytes) -> tuple[int, int, int]:
    """Size, time of the last change and inode. Raises SourceError."""
    try:
        status = os.stat(path)  # noqa: PTH116 - bytes
    except FileNotFoundError as error:
        raise SourceVanished(f"{_shown(path)} is not there. Check its path.") from error
    except OSError as error:
        raise SourceError(f"{_shown(path)} cannot be looked at: {error.strerror}.") from error
    if not stat.S_ISREG(status.st_mode):
        raise NotAFile(f"{_shown(path)} is no regular file, so no video can be made of it.")
    return status.st_size, status.st_mtime_ns, status.st_ino


def _refuse_at_sight(path: bytes, size: int) -> None:
    if not size:
        raise _refusal(path, "empty", "it is empty")
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD)
            encrypted = is_mp4(head) and is_encrypted(file)
    except PermissionError as error:
        raise SourceDenied(f"{_shown(path)} cannot be read: its permissions forbid it. Allow it, then retry.") from error
    except OSError as error:
        raise SourceError(f"{_shown(path)} cannot be read: {error.strerror}.") from error
    if is_picture(head):
        raise _refusal(path, "still_image", "it is an image; upload it as a file")
    if is_list(head):
        raise _refusal(path, "unsupported", "it is a list of other files, and those are not followed; give it the files themselves")
    if encrypted:
        raise _refusal(path, "encrypted", "it is encrypted; give it a copy without protection")


def _listing(path: bytes, ffmpeg: Ffmpeg, seconds: float) -> Listing:
    command = [ffmpeg.path, "-hide_banner", "-nostdin", *opening(path)]
    ended = run(command, seconds=seconds, cpu_seconds=_CPU_SECONDS)
    listing = read_listing(ended.said)
    if listing is not None and not ended.overdue:
        return listing
    _log.info("ffmpeg did not open %s: %s", _shown(path), display_text(ended.said[-_TAIL:]))
    if ended.overdue:
        raise _refusal(path, "unreadable", f"ffmpeg did not come to an end with it within {seconds:g} s")
    if "Format not on whitelist" in ended.said:
        raise _refusal(path, "unsupported", f"its format is not taken; convert it to {CONTAINERS_SHOWN}")
    if "moov atom not found" in ended.said and _begins_as_mp4(path):
        raise _refusal(path, "truncated", "its index is missing, as in a file that was cut off; copy it again, completely")
    raise _refusal(path, "unreadable", f"nothing in it can be read as a video; check the file, which should be {CONTAINERS_SHOWN}")


def _begins_as_mp4(path: bytes) -> bool:
    with open(path, "rb") as file:
        return is_mp4(file.read(HEAD))


def _picture(path: bytes, listing: Listing, most_pixels: int) -> VideoStream:
    """The first stream of moving pictures that can be decoded."""
    if len(listing.videos) + len(listing.audio) + len(listing.subtitles) > _MOST_STREAMS:
        raise _refusal(path, "unsupported", f"it has more than {_MOST_STREAMS} streams; make a copy with the ones that are wanted")
    if not listing.videos:
        if not listing.audio:
            raise _refusal(path, "no_video", "it has no moving picture")
        but = " and a cover" if listing.covers else ""
        raise _refusal(path, "audio_only", f"it holds sound{but} only; upload it as a file")
    video = next((video for video in listing.videos if video.width and video.height), None)
    if video is None:
        raise _refusal(path, "unreadable", "its pictures have no size, so they cannot be decoded; check the file")
    if video.width * video.height > most_pixels:
        raise _refusal(
            path, "too_large", f"its {video.width}x{video.height} pixels are more than {most_pixels}; scale it down first"
        )
    if min(video.width, video.height) < _FEWEST_PIXELS:
        raise _refusal(path, "unsupported", f"{video.width}x{video.height} pixels are too few to be encoded")
    return video


def _extent(path: bytes, size: int, listing: Listing, video: VideoStream, ffmpeg: Ffmpeg) -> Extent:
    """How long it really is. What the container claims is of its longest stream, and rounded."""
    others = [track.index for track in listing.audio] + [track.index for track in listing.subtitles]
    extent = measure_extent(path, size, video.index, others, ffmpeg)
    if extent is None or not extent.duration_us:
        raise _refusal(path, "unreadable", "no picture in it lasts any time; check the file")
    if extent.duration_us > _LONGEST_US:
        raise _refusal(path, "too_large", f"it lasts more than {_LONGEST_US // 3_600_000_000} hours; cut it first")
    claimed = listing.duration_us if listing.container in _CLAIMING else 0
    missing = claimed - extent.end_us
    if missing > (100_000 if extent.broken_off else max(500_000, claimed // 50)):
        held, whole = extent.end_us / 1e6, claimed / 1e6
        raise _refusal(path, "truncated", f"it says it lasts {whole:.1f} s and holds {held:.1f} s; copy it again, completely")
    return extent
