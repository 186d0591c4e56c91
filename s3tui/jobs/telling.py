"""How far one video is, told to those who watch the job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from s3tui.media.plan import Plan
from s3tui.media.progress import Progress as Beat
from s3tui.media.source import Source
from s3tui.model import VideoPhase, VideoSample
from s3tui.transfer.progress import Progress

_SECOND_US = 1_000_000


@dataclass(slots=True)
class Telling:
    """Tells of one video. Used by one thread."""

    progress: Progress
    no: int
    name: str
    size: int
    """Bytes of its source."""
    attempt: int
    _newest: VideoSample = field(init=False)

    def begin(self) -> None:
        """It is being looked at."""
        self.progress.start(self.no, self.size, self.attempt)
        self._tell(VideoSample(self.no, name=self.name))

    def transcoding(self, source: Source, plan: Plan) -> None:
        """It is known what it becomes."""
        total = source.duration_us / _SECOND_US
        known = self._newest._replace(total=total, renditions=plan.renditions, segment_seconds=float(plan.segment_seconds))
        self._tell(known._replace(phase=VideoPhase.TRANSCODING, made=0.0, sent=(0,) * len(plan.renditions)))

    def heard(self, beat: Beat, sent: Mapping[str, int]) -> None:
        """ffmpeg has come so far, and of each rendition so many segments are on S3."""
        made = min(beat.out_time_us / _SECOND_US, self._newest.total)
        self._tell(self._newest._replace(made=made, speed=beat.speed, fps=beat.fps, sent=self._counts(sent)))

    def uploading(self, sent: Mapping[str, int]) -> None:
        """All is made."""
        self._tell(self._newest._replace(phase=VideoPhase.UPLOADING, made=self._newest.total, sent=self._counts(sent)))

    def publishing(self) -> None:
        """All segments are on S3."""
        self._tell(self._newest._replace(phase=VideoPhase.PUBLISHING))

    def end(self) -> None:
        """There is nothing to tell any more."""
        self.progress.end(self.no)

    def _counts(self, sent: Mapping[str, int]) -> tuple[int, ...]:
        return tuple(sent.get(name, 0) for name in self._newest.renditions)

    def _tell(self, sample: VideoSample) -> None:
        self._newest = sample
        self.progress.tell(sample)
        self.progress.observe([(self.no, int(sample.share * self.size), self.size, self.attempt)], [self.no])
