"""How far a job is, on standard error: live bars on a terminal, a line every few seconds elsewhere, nothing when quiet."""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple, Protocol

from s3tui.text import display_text, format_duration, format_size

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from s3tui.model import VideoSample
    from s3tui.service import JobSight

_LINE_SECONDS = 5.0
_WINDOW_SECONDS = 10.0
_BAR_CELLS = 24


class Progress(Protocol):
    """Shows how far a job is."""

    def look(self, sight: JobSight) -> None:
        """Show the newest sight."""

    def close(self) -> None:
        """Show nothing more."""


def open_progress(*, quiet: bool, plain: bool = False) -> Progress:
    """What suits standard error. `plain` asks for lines even on a terminal, where a log is written as well."""
    if quiet:
        return _Silence()
    if not plain and sys.stderr.isatty():
        from rich.console import Console

        console = Console(stderr=True)
        if not console.is_dumb_terminal:
            return _Bar(console)
    return _Lines()


class Pace(NamedTuple):
    """How fast it goes, over the last seconds."""

    bytes_per_second: float
    files_per_second: float
    seconds_left: float | None
    """None: not known, because the scan has not ended or nothing moves."""
    seconds_quiet: float = 0.0
    """How long ago a file has come to its end, or since we look."""


class Pacer:
    """Measures the pace from sights."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int, int]] = deque()
        self._newest: tuple[int, float] | None = None
        """How many files have ended, and since when they are so many."""

    def pace(self, sight: JobSight, now: float) -> Pace:
        """The pace at `now` (seconds of a monotonic clock)."""
        totals = sight.job.totals
        done = totals.uploaded + totals.skipped + totals.failed
        self._samples.append((now, sight.sent, done))
        if self._newest is None or done != self._newest[0]:
            self._newest = done, now
        quiet = now - self._newest[1]
        while now - self._samples[0][0] > _WINDOW_SECONDS:
            self._samples.popleft()
        since, sent, ended = self._samples[0]
        elapsed = max(now - since, 1e-6)
        bytes_rate = max(0.0, (sight.sent - sent) / elapsed)
        files_rate = max(0.0, (done - ended) / elapsed)
        if len(self._samples) < 2 or not sight.job.planned:
            return Pace(bytes_rate, files_rate, None, quiet)
        bytes_left, files_left = max(0, totals.bytes_found - sight.sent), max(0, totals.found - done)
        return Pace(bytes_rate, files_rate, _seconds_left((bytes_left, bytes_rate), (files_left, files_rate)), quiet)


def _seconds_left(*work: tuple[int, float]) -> float | None:
    """The longest of what is left at its rate: large files are bound by bytes, small ones by their number."""
    times = [left / rate for left, rate in work if left and rate]
    return max(times, default=None) if any(left for left, _ in work) else 0.0


def describe(sight: JobSight, pace: Pace) -> str:
    """`12 of 300 files, 1.0 MiB of 9.5 MiB, 512.0 KiB/s, 31 files/s, 0:17 left, 2 retries, 1 failed`.

    Of a job that watches, as long as nothing comes: `watching; 12 files stored, last one 0:17 ago, 1.0 MiB`. Of videos at work
    `transcoding clip.mp4: 42%, 2.5x, 63 fps, 0:12 left, 18 segments, 1 of 3 files`. Of CSV files
    `12,000 rows, 3 rejected, 1.0 MiB of 9.5 MiB, 512.0 KiB/s, 0 of 1 files, 0:17 left`. Before the first file is found, what is
    waited for.
    """
    totals, more = sight.job.totals, "" if sight.job.planned else "+"
    if not (totals.found or sight.job.planned or sight.job.watches):
        return f"asking {display_text(json.loads(sight.job.spec)['target'])}, and looking for files"
    done = totals.uploaded + totals.skipped + totals.failed
    words = [
        f"{done} of {totals.found}{more} files",
        f"{format_size(sight.sent)} of {format_size(totals.bytes_found)}{more}",
        f"{format_size(pace.bytes_per_second)}/s",
        f"{pace.files_per_second:.0f} files/s",
    ]
    if sight.job.watches and done == totals.found:
        last = f", last one {format_duration(pace.seconds_quiet)} ago" if totals.uploaded else ""
        noun, verb = ("video", "made") if sight.job.kind == "video" else ("file", "stored")
        words = [f"watching; {totals.uploaded} {noun}{'' if totals.uploaded == 1 else 's'} {verb}{last}", format_size(totals.bytes)]
    if sight.videos:
        made = "; ".join(map(_describe_video, sight.videos))
        words = [made, *words[:1]] if totals.found > 1 else [made]
    if sight.rows is not None:
        counts = [f"{sight.rows.inserted:,} rows", *([f"{sight.rows.rejected:,} rejected"] if sight.rows.rejected else [])]
        words = [*counts, *words[1:3], words[0]]
    if not sight.videos and pace.seconds_left is not None:
        words.append(f"{format_duration(pace.seconds_left)} left")
    if totals.retries:
        words.append(f"{totals.retries} {'retry' if totals.retries == 1 else 'retries'}")
    if totals.failed:
        words.append(f"{totals.failed} failed")
    return ", ".join(words)


def _describe_video(video: VideoSample) -> str:
    words = [f"{video.share:.0%}"]
    if video.speed and video.seconds_left is not None:
        words += [f"{video.speed:.1f}x", f"{video.fps:.0f} fps", f"{format_duration(video.seconds_left)} left"]
    if video.segments:
        words.append(f"{video.segments} {'segment' if video.segments == 1 else 'segments'}")
    return display_text(f"{video.phase} {video.name}: ") + ", ".join(words)


class _Silence:
    """--quiet."""

    def look(self, sight: JobSight) -> None:
        pass

    def close(self) -> None:
        pass


class _Lines:
    """One line every few seconds."""

    def __init__(self) -> None:
        self._pacer = Pacer()
        self._told_at = time.monotonic()

    def look(self, sight: JobSight) -> None:
        now = time.monotonic()
        pace = self._pacer.pace(sight, now)
        if now - self._told_at >= _LINE_SECONDS:
            self._told_at = now
            print(display_text(f"{str(sight.job.state).capitalize()}: {describe(sight, pace)}."), file=sys.stderr, flush=True)

    def close(self) -> None:
        pass


class _Bar:
    """A bar that is painted over itself."""

    def __init__(self, console: Console) -> None:
        from rich.live import Live

        self._pacer = Pacer()
        self._live = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False)
        self._live.start()

    def look(self, sight: JobSight) -> None:
        pace = self._pacer.pace(sight, time.monotonic())
        self._live.update(bar(sight, describe(sight, pace)), refresh=True)

    def close(self) -> None:
        self._live.stop()


def bar(sight: JobSight, text: str) -> RenderableType:
    """The job's bar, and one for each rendition of the videos that are being made."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    totals = sight.job.totals
    ended = totals.uploaded + totals.skipped + totals.failed
    share = sight.sent / totals.bytes_found if totals.bytes_found else (ended / totals.found if totals.found else 0.0)
    if sight.videos:
        share = (ended + sum(video.share for video in sight.videos)) / totals.found
    grid = Table.grid(padding=(0, 1))
    grid.add_row(
        Text(str(sight.job.state)),
        ProgressBar(total=1.0, completed=min(1.0, share), width=_BAR_CELLS, pulse=not sight.job.planned),
        Text(text, overflow="ellipsis", no_wrap=True, style="red" if totals.failed else ""),
    )
    for video in sight.videos:
        for name, sent, done in zip(video.renditions, video.sent, video.sent_shares, strict=True):
            counted = Text(f"{sent} {'segment' if sent == 1 else 'segments'} on S3")
            grid.add_row(Text(f"  {name}"), ProgressBar(total=1.0, completed=done, width=_BAR_CELLS), counted)
    return grid
