"""How far one video is, told to those who watch the job."""

from __future__ import annotations

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
        self._tell(self._newest._replace(phase=VideoPhase.TRANSCODING, total=total, renditions=plan.renditions))

    def heard(self, beat: Beat, segments: int) -> None:
        """ffmpeg has come so far, and so many segments are on S3."""
        made = min(beat.out_time_us / _SECOND_US, self._newest.total)
        self._tell(self._newest._replace(made=made, speed=beat.speed, fps=beat.fps, segments=segments))

    def uploading(self, segments: int) -> None:
        """All is made."""
        self._tell(self._newest._replace(phase=VideoPhase.UPLOADING, made=self._newest.total, segments=segments))

    def publishing(self) -> None:
        """All segments are on S3."""
        self._tell(self._newest._replace(phase=VideoPhase.PUBLISHING))

    def end(self) -> None:
        """There is nothing to tell any more."""
        self.progress.end(self.no)

    def _tell(self, sample: VideoSample) -> None:
        self._newest = sample
        self.progress.tell(sample)
        self.progress.observe([(self.no, int(sample.share * self.size), self.size, self.attempt)], [self.no])
