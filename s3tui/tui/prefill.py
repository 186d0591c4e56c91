"""What the form for a new job begins with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from s3tui.jobs.options import BackupOptions, IngestOptions, VideoOptions
from s3tui.tui.places import MEDIA


def _here() -> str:
    """The working directory; the home directory if that one was removed."""
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return str(Path.home())


@dataclass(slots=True)
class Prefill:
    """What is known before anybody types."""

    sources: Sequence[str] = ()
    target: str = ""
    concurrency: int = 100
    bandwidth: str = ""
    """`10MB/s`; empty: no limit."""
    attempts: int = 5
    checksum: str = "crc64nvme"
    backup: BackupOptions = field(default_factory=BackupOptions)
    """What a backup takes and does when nothing else is said."""
    video: VideoOptions = field(default_factory=VideoOptions)
    """How a video is made, likewise."""
    ingest: IngestOptions = field(default_factory=IngestOptions)
    """How CSV files are ingested, likewise."""
    hint: str = ""
    """A sentence for newcomers."""
    configured_target: str = ""
    """What the configuration says, whatever `target` is."""
    media: tuple[str, ...] = MEDIA
    """Below which media are mounted that one may want to go to."""
    root: str = field(default_factory=_here)
    """Where the tree begins if there are no sources."""

    @property
    def complete(self) -> bool:
        """Whether Enter may go on at once."""
        return bool(self.sources and self.target)
