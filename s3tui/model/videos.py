"""A video that is being made."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class VideoPhase(StrEnum):
    """What is done of a video at the moment."""

    PROBING = "probing"
    TRANSCODING = "transcoding"
    UPLOADING = "uploading"
    """Everything is made, and only segments are on their way."""
    PUBLISHING = "publishing"


class VideoSample(NamedTuple):
    """A sample of one video that is being made."""

    no: int
    phase: VideoPhase = VideoPhase.PROBING
    made: float = 0.0
    """Seconds of it that are made."""
    total: float = 0.0
    """Seconds that it is long; 0 while that is not known."""
    speed: float = 0.0
    """Times real time; 0 while it is not known, as are the next."""
    fps: float = 0.0
    renditions: tuple[str, ...] = ()
    """Names of what it becomes: the rungs, the best first, then sound tracks of their own."""
    sent: tuple[int, ...] = ()
    """Segments of each of them that are on S3."""
    segment_seconds: float = 0.0
    """How long a segment is, more or less."""
    name: str = ""
    """Of its file; bytes that are not UTF-8 are surrogate-escaped."""

    @property
    def segments(self) -> int:
        """On S3, over all renditions."""
        return sum(self.sent)

    @property
    def sent_shares(self) -> list[float]:
        """How much of each rendition is on S3, from 0 to 1."""
        if self.phase is VideoPhase.PUBLISHING:
            return [1.0 for _ in self.renditions]
        return [min(1.0, sent * self.segment_seconds / self.total) if self.total else 0.0 for sent in self.sent]

    @property
    def share(self) -> float:
        """How much of it is made, from 0 to 1."""
        return min(1.0, self.made / self.total) if self.total else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Until it is made, at the present speed; None if nobody can know."""
        if self.phase is not VideoPhase.TRANSCODING or not self.speed or not self.total:
            return None
        return max(0.0, self.total - self.made) / self.speed
