"""What a video has beside its segments: a poster, a storyboard for dragging through it, and subtitles.

They are made of the source in passes of their own, pictures while it is encoded. A picture that cannot be made is left out, since
no player needs it; subtitles that the source has belong to the video.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from threading import Event

from s3tui.errors import TranscodeError
from s3tui.jobs.shipment import Shipment
from s3tui.media import commands
from s3tui.media.encode import Ended, run
from s3tui.media.languages import bcp47
from s3tui.media.master import SubtitleRendition
from s3tui.media.plan import Plan
from s3tui.media.playlists import anchored_subtitles, storyboard_cues, subtitle_playlist
from s3tui.media.served import PLAYLIST
from s3tui.media.source import Source
from s3tui.media.storyboard import Storyboard, storyboard
from s3tui.transfer.engine import Control

_log = logging.getLogger(__name__)

_CUES = "storyboard/storyboard.vtt"
_WORDS = "subtitles.vtt"


@dataclass(frozen=True, slots=True)
class Companions:
    """Makes and stores what goes beside one video."""

    ffmpeg: str
    source: Source
    plan: Plan
    directory: Path
    shipment: Shipment
    control: Control
    _given_up: Event = field(default_factory=Event)

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """Make the poster and the storyboard meanwhile; they are made when the block ends, and given up if it fails.

        Raises Cancelled when the job stops.
        """
        (self.directory / commands.STORYBOARD).mkdir()
        with ThreadPoolExecutor(2, thread_name_prefix="pictures") as pool:
            made = [
                pool.submit(self._picture, commands.poster(self.ffmpeg, self.source, self.plan)),
                pool.submit(self._picture, commands.storyboard(self.ffmpeg, self.source, self.plan, self._board)),
            ]
            try:
                yield
            except BaseException:
                self._given_up.set()
                raise
            for picture in made:
                picture.result()

    @property
    def _board(self) -> Storyboard:
        return storyboard(self.source.duration_us, self.plan.rungs[0])

    def send_pictures(self) -> None:
        """The poster and the storyboard, as far as they could be made. Raises StorageError, and Cancelled when the job stops."""
        board = self._board
        sheets = sorted((self.directory / commands.STORYBOARD).glob("*.jpg"))
        files = [
            (commands.POSTER, self.directory / commands.POSTER),
            *((f"{commands.STORYBOARD}/{path.name}", path) for path in sheets),
        ]
        if len(sheets) == board.sheets:
            cues = self.directory / _CUES
            cues.write_text(storyboard_cues(board, [path.name for path in sheets]))
            files.append((_CUES, cues))
        self.shipment.send((name, path) for name, path in files if path.exists() and path.stat().st_size)

    def send_subtitles(self, start: Fraction) -> list[SubtitleRendition]:
        """Each text track as WebVTT; `start` seconds are its zero. Raises TranscodeError, StorageError, Cancelled."""
        if not self.plan.subtitles:
            return []
        if not self._run(commands.subtitles(self.ffmpeg, self.source, self.plan)).succeeded:
            raise TranscodeError(
                "The subtitles of the video could not be read. Remove them from the file, and retry.", "encoder_failed"
            )
        languages = {track.index: track.language for track in self.source.subtitles}
        renditions = []
        for number, index in enumerate(self.plan.subtitles):
            rendition = SubtitleRendition(f"s{number}_{languages[index]}", bcp47(languages[index]))
            self._send_subtitles(rendition.name, self.directory / commands.subtitle_name(index), start)
            renditions.append(rendition)
        return renditions

    def _send_subtitles(self, name: str, words: Path, start: Fraction) -> None:
        directory = self.directory / name
        directory.mkdir()
        (directory / _WORDS).write_text(anchored_subtitles(words.read_text(), start))
        (directory / PLAYLIST).write_text(subtitle_playlist(_WORDS, self.source.duration_us))
        self.shipment.send((f"{name}/{file}", directory / file) for file in (_WORDS, PLAYLIST))

    def _picture(self, command: list[str]) -> None:
        try:
            ended = self._run(command)
        except TranscodeError as error:
            _log.info("A picture was left out: %s", error)
            return
        if not ended.succeeded:
            _log.info("A picture was left out: %s", " ".join(ended.tail[-1:]))

    def _run(self, command: list[str]) -> Ended:
        """Raises TranscodeError (`stalled`), and Cancelled when the job stops: of a long film this takes a while, too."""
        return run(command, self.directory, self.source.path, stopping=lambda: self.control.stopping or self._given_up.is_set())
