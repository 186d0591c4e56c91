"""The encode of one video, whose segments go up as soon as they are complete, and leave the disk once they are proven.

In the rhythm of ffmpeg one thread looks for what is new and reads what each segment says; another one carries it, batch by batch,
and encrypts it first if that was asked for. ffmpeg goes on in its own process meanwhile, and is held when too much waits on the
disk: so a slow store never fills it.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path

from s3tui.errors import Cancelled
from s3tui.jobs.shipment import Shipment
from s3tui.jobs.telling import Telling
from s3tui.media.arrivals import INIT, Arrival, Arrivals
from s3tui.media.cipher import Cipher, encrypted_size
from s3tui.media.commands import hls
from s3tui.media.encode import Encoder, Ended
from s3tui.media.ffmpeg_playlist import Listing, read_listing
from s3tui.media.formats import Formats, SegmentFacts
from s3tui.media.gate import Encoded
from s3tui.media.plan import Plan
from s3tui.media.segments import Reader
from s3tui.media.served import INIT as INIT_NAME
from s3tui.media.served import PLAYLIST
from s3tui.media.source import Source
from s3tui.transfer.engine import Control


def transcode(
    ffmpeg: str,
    source: Source,
    plan: Plan,
    directory: Path,
    shipment: Shipment,
    control: Control,
    telling: Telling,
    *,
    cipher: Cipher | None = None,
    threads: int = 0,
) -> Encoded:
    """Encode into `directory` and carry what comes; returns what the gate wants to know.

    Segments are encrypted if there is a `cipher`. `threads`: see `media.commands.hls`.

    Raises TranscodeError, StorageError, and Cancelled when the job stops.
    """
    for name in plan.renditions:
        (directory / name).mkdir()
    with (
        ThreadPoolExecutor(1, thread_name_prefix="segments") as carrier,
        Encoder(hls(ffmpeg, source, plan, threads=threads), directory, source.path) as encoder,
    ):
        harvest = _Harvest(plan, source, directory, shipment, carrier, cipher)
        for progress in encoder.beats():
            if control.stopping:
                raise Cancelled("The job was stopped.")
            harvest.take()
            if harvest.crowded:
                encoder.pause()
            else:
                encoder.resume()
            telling.heard(progress, harvest.sent)
        harvest.take_all(telling)
        return harvest.encoded(encoder.ended)


@dataclass(slots=True)
class _Harvest:
    """What ffmpeg has finished so far, and what it said of itself."""

    plan: Plan
    source: Source
    directory: Path
    shipment: Shipment
    carrier: Executor
    cipher: Cipher | None
    sent: Counter[str] = field(default_factory=Counter)
    """Segments of each rendition that are on S3."""
    _arrivals: Arrivals = field(init=False)
    _waiting: list[tuple[str, Arrival]] = field(default_factory=list)
    _on_their_way: Future[None] | None = None
    _readers: dict[str, Reader] = field(default_factory=dict)
    _segments: dict[str, SegmentFacts] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._arrivals = Arrivals(self.directory, self.plan, self.source.path)

    @property
    def crowded(self) -> bool:
        """Whether so much waits on the disk that ffmpeg is to be held."""
        return self._arrivals.crowded

    def take(self) -> None:
        """Look for what is new, and let it be carried when what went before has arrived. Raises what carrying that raised."""
        for arrival in self._arrivals.look():
            name = self._name(arrival)
            self._read(name, arrival)
            self._waiting.append((name, arrival))
        if self._on_their_way is not None and self._on_their_way.done():
            self._on_their_way.result()
            self._on_their_way = None
        if self._waiting and self._on_their_way is None:
            self._on_their_way = self.carrier.submit(self._carry, self._waiting)
            self._waiting = []

    def take_all(self, telling: Telling) -> None:
        """The same, until nothing is left."""
        self.take()
        while self._on_their_way is not None:
            telling.uploading(self.sent)
            wait([self._on_their_way])
            self.take()
        telling.uploading(self.sent)

    def _carry(self, files: list[tuple[str, Arrival]]) -> None:
        """Carry files, and take segments off the disk."""
        if self.cipher is not None:
            for _, arrival in files:
                self.cipher.encrypt(arrival.path)
        self.shipment.send((name, arrival.path) for name, arrival in files)
        for _, arrival in files:
            if arrival.number != INIT:
                arrival.path.unlink()
                self.sent[arrival.rendition] += 1

    def encoded(self, ended: Ended) -> Encoded:
        """All that was found."""
        files = {path.relative_to(self.directory).as_posix() for path in self.directory.rglob("*") if path.is_file()}
        return Encoded(
            exit_code=ended.code,
            ended=ended.finished,
            listings=self._listings(),
            formats=self._formats(),
            segments=self._segments,
            stored=self.shipment.stored,
            leftovers={name for name in files if name.endswith((self.plan.suffix, ".tmp"))},
        )

    def _name(self, arrival: Arrival) -> str:
        return f"{arrival.rendition}/{INIT_NAME if arrival.number == INIT else arrival.path.name}"

    def _read(self, name: str, arrival: Arrival) -> None:
        if arrival.number == INIT:
            self._readers[arrival.rendition] = Reader(arrival.path)
            return
        facts = self._readers.setdefault(arrival.rendition, Reader(None)).read(arrival.path)
        self._segments[name] = facts if self.cipher is None else replace(facts, size=encrypted_size(facts.size))

    def _listings(self) -> dict[str, Listing]:
        paths = {name: self.directory / name / PLAYLIST for name in self.plan.renditions}
        return {name: read_listing(path.read_text()) for name, path in paths.items() if path.exists()}

    def _formats(self) -> dict[str, Formats]:
        return {name: reader.formats for name, reader in self._readers.items() if reader.formats is not None}
