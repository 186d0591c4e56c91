"""The one place that knows of both segment types: what a rendition's files say, as they appear on the disk."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from s3tui.errors import TranscodeError
from s3tui.media import boxes, packets
from s3tui.media.formats import Formats, SegmentFacts


class Reader:
    """Reads the segments of one rendition: those of fMP4 with the init file at `init`, those of MPEG-TS without one."""

    def __init__(self, init: Path | None) -> None:
        self._init = None
        if init is not None:
            with _opened(init) as file:
                self._init = boxes.read_init(file)
        self.formats: Formats | None = self._init.formats if self._init else None
        """What the rendition is made of; of MPEG-TS known when its first segment is read."""

    def read(self, segment: Path) -> SegmentFacts:
        """What one segment says. Raises TranscodeError: `incomplete`, `encoder_failed` if it cannot be opened."""
        with _opened(segment) as file:
            if self._init is not None:
                return boxes.read_segment(file, self._init)
            formats, facts = packets.read_segment(file)
        known = self.formats or formats
        if known.video and formats.video and known.video != formats.video:
            raise TranscodeError(f"The encoder changed the format of its picture at {segment.name}.", "incomplete")
        self.formats = Formats(known.video or formats.video, known.audio or formats.audio)
        return facts


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise TranscodeError(f"The encoder's {path.name} cannot be opened ({error.strerror}).", "encoder_failed") from error
