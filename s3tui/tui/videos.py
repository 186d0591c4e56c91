"""Videos that are made, and those that are published, in words for the screens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from s3tui.model import VideoSample
from s3tui.text import display_text, format_duration, format_size, plural
from s3tui.tui.door import Sight
from s3tui.tui.figures import endings

Published = tuple[str, Sequence[Mapping[str, Any]]]
"""The address of a video, and its renditions."""


def videos_share(sight: Sight) -> float:
    """How much of a job of videos is behind us, from 0 to 1; each of them counts the same."""
    totals = sight.job.totals
    ended = totals.uploaded + totals.skipped + totals.failed
    return min(1.0, (ended + sum(video.share for video in sight.videos)) / totals.found) if totals.found else 0.0


def videos_figures(sight: Sight) -> list[tuple[str, str]]:
    """The summary line of a job of videos: (text, style name) in order of importance."""
    totals = sight.job.totals
    ended = totals.uploaded + totals.skipped + totals.failed
    parts = [("watching", "active")] if sight.job.watches and sight.job.state == "running" else []
    parts.append((f"{ended:,} of {plural(totals.found, 'video')}", ""))
    for video in sight.videos[:1]:
        words = [str(video.phase), *pace_words(video), *segment_words(video), " ".join(video.renditions)]
        parts += [(word, "active") for word in words if word]
    if totals.bytes:
        parts.append((f"{format_size(totals.bytes)} on S3", ""))
    return parts + endings(sight.job)


def pace_words(video: VideoSample) -> list[str]:
    """`2.5x`, `0:12 left`, `63 fps`; nothing while it is not known."""
    if video.seconds_left is None:
        return []
    return [f"{video.speed:.1f}x", f"{format_duration(video.seconds_left)} left", f"{video.fps:.0f} fps"]


def segment_words(video: VideoSample) -> list[str]:
    """`18 segments`, once there are some."""
    return [plural(video.segments, "segment")] if video.segments else []


def detail_lines(video: VideoSample | None, published: Published | None) -> tuple[tuple[str, str], ...]:
    """(name, text) of what there is to say of one video beyond what any file has."""
    lines = []
    if video is not None and video.total:
        made = f"{format_duration(video.made)} of {format_duration(video.total)}"
        lines += [
            ("Made", ", ".join([made, *pace_words(video)])),
            ("Rungs", ", ".join([*video.renditions, *(f"{words} on S3" for words in segment_words(video))])),
        ]
    if published is not None:
        url, renditions = published
        lines += [("URL", display_text(url)), ("Rungs", "; ".join(map(_rendition, renditions)))]
    return tuple(lines)


def _rendition(rung: Mapping[str, Any]) -> str:
    return display_text(f"{rung['name']} {rung['width']}x{rung['height']}, {format_size(rung['bytes'])}")
