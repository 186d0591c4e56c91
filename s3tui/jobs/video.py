"""video: each file becomes HLS on S3, whose segments go up while later ones are encoded.

    probed ──▶ planned ──▶ encoded, each segment carried and proven meanwhile ──▶ held against the plan ──▶ playlists, master last

Nothing is published before everything is on S3, and of a video that fails or is called off nothing stays there. A killed worker's
video begins anew with the same plan, and so with the same keys.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, field, replace
from typing import ClassVar

from s3tui.errors import Cancelled, SourceChanged, SourceError, SourceVanished, SpecError, StorageError, TranscodeError
from s3tui.events import Fact, Failed, Planned, Uploaded, Verified
from s3tui.jobs.checks import check_encryption, check_target, check_word
from s3tui.jobs.companions import Companions
from s3tui.jobs.context import Context
from s3tui.jobs.films import Films, film_row
from s3tui.jobs.options import SEGMENT_TYPES
from s3tui.jobs.own_prefix import clear, ensure_empty
from s3tui.jobs.publishing import publish
from s3tui.jobs.shipment import Shipment
from s3tui.jobs.targets import Targeted
from s3tui.jobs.telling import Telling
from s3tui.jobs.transcoding import transcode
from s3tui.jobs.watching import check_settling, keep_planning
from s3tui.jobs.workplaces import workplace
from s3tui.media import gate
from s3tui.media.cipher import Cipher
from s3tui.media.heights import parse_heights
from s3tui.media.keys import read_key
from s3tui.media.ladder import Choices, plan_for
from s3tui.media.plan import Plan
from s3tui.media.playlists import Key, Rendition
from s3tui.media.probe import probe
from s3tui.media.served import MASTER
from s3tui.model import Connection, FileState, Fingerprint, ObjectRef, Policy, Receipt
from s3tui.text import display_text
from s3tui.transfer.compare import key_collision
from s3tui.transfer.places import Place
from s3tui.transfer.unreadable import check_sources


@dataclass(frozen=True, slots=True)
class VideoSpec(Targeted):
    """The arguments of one video job. Raises SpecError when they cannot be used."""

    kind: ClassVar[str] = "video"
    queue: ClassVar[str] = "video"

    sources: tuple[str, ...]
    """Absolute paths of files, or of folders as well if it watches; bytes that are not UTF-8 are surrogate-escaped."""
    target: str
    """`s3://bucket/prefix/`: the prefix is empty or ends in a slash."""
    connection: Connection = field(default_factory=Connection)
    policy: Policy = field(default_factory=Policy)
    segment_type: str = "fmp4"
    """`fmp4` or `ts`."""
    segment_seconds: float = 4.0
    ladder: str = "auto"
    """`auto`, or heights like `1080,720,480`."""
    preset: str = "veryfast"
    hls_key: str = ""
    """Absolute path of a file with the key that segments are encrypted with, never the key; empty: they are not encrypted."""
    hls_key_url: str = ""
    """The address at which players get the key."""
    watch: bool = False
    """Keep taking new files until stopped; the sources may be folders then."""
    settle_seconds: float = 2.0
    """See `UploadSpec`."""

    def __post_init__(self) -> None:
        check_target(self.sources, self.target)
        check_word("--segment-type", self.segment_type, SEGMENT_TYPES)
        check_encryption(self.hls_key, self.hls_key_url, self.segment_type)
        try:
            parse_heights(self.ladder)
        except ValueError as error:
            raise SpecError(f"--ladder cannot be used: {error}.") from error
        if self.watch:
            check_settling(self.settle_seconds)

    @property
    def passing(self) -> frozenset[FileState]:
        """See `UploadSpec`."""
        return frozenset({FileState.PLANNED, FileState.UPLOADED})

    @property
    def choices(self) -> Choices:
        """What people chose of the video."""
        return Choices(self.segment_type, self.segment_seconds, parse_heights(self.ladder), self.preset)


def plan(context: Context[VideoSpec]) -> None:
    """Give each file a unit of its own. Raises SpecError for one that cannot be read, and for a key; ConfigError."""
    spec = context.spec
    sources = [os.fsencode(source) for source in spec.sources]
    context.resources.bucket(spec.connection, spec.bucket).check()
    check_sources(sources)
    check_key(spec)
    if spec.watch:
        keep_planning(context, Films(context))
        return
    rows = [_row(no, source, spec.prefix) for no, source in enumerate(sources)]
    keys = Counter(row.key for row in rows)
    done = context.store.planning.last(context.lease)
    for row in rows[0 if done is None else done[0] + 1 :]:
        clashes = row.key is not None and keys[row.key] > 1
        taken = row._replace(state=FileState.FAILED, reason="key_collision", error=key_collision(row.key or "")) if clashes else row
        context.store.planning.add(context.lease, [taken], hold=context.job.dry_run)
        context.wake()
    context.store.planning.finish(context.lease)


def _row(no: int, source: bytes, prefix: str) -> Planned:
    """What is to become of one file: its object is the master playlist."""
    name = os.path.basename(source)  # noqa: PTH119 - bytes
    fingerprint = Fingerprint.of(os.stat(source))  # noqa: PTH116
    return film_row(Planned(no, name, "", fingerprint), prefix)


def check_key(spec: VideoSpec) -> None:
    """See that segments can be encrypted, if they are to be. Raises SpecError, ConfigError."""
    try:
        _cipher(spec)
    except TranscodeError as error:
        raise SpecError(str(error)) from error


def _cipher(spec: VideoSpec) -> Cipher | None:
    """Of one video, with the key as it is now. Raises TranscodeError, ConfigError."""
    return Cipher(read_key(spec.hls_key)) if spec.hls_key else None


def work(context: Context[VideoSpec]) -> None:
    """Make the unit's video."""
    spec = context.spec
    sources = [os.fsencode(source) for source in spec.sources]
    for source_no, path, no, key, _action, fingerprint, attempts, _upload in context.store.transfers.to_carry(context.lease):
        if not context.control.stopping:
            source = Place(sources[source_no]).of(path) if spec.watch else sources[source_no]
            _Video(context, no, source, key, fingerprint, attempts + 1, exactly=spec.watch or context.job.applied).make()


@dataclass(frozen=True, slots=True)
class _Video:
    """One file on its way."""

    context: Context[VideoSpec]
    no: int
    path: bytes
    key: str
    fingerprint: Fingerprint
    attempt: int
    exactly: bool
    """Whether it must be the file that was planned; else it is made as it is now."""

    @property
    def prefix(self) -> str:
        """Of all its objects, with a slash at its end."""
        return self.key.removesuffix(MASTER)

    def make(self) -> None:
        """Make it, and write down how that ended; not if the job stops. Raises what concerns all."""
        context = self.context
        name = os.fsdecode(os.path.basename(self.path))  # noqa: PTH119 - bytes
        telling = Telling(context.progress, self.no, name, self.fingerprint.size, self.attempt)
        telling.begin()
        try:
            try:
                self._make(telling)
            except gate.CannotBeCut:
                self._make(telling, encodes=True)
        except Cancelled:
            self._withdraw()
        except (TranscodeError, SourceError, StorageError) as error:
            self._withdraw()
            if error.fatal:
                raise
            context.record([Failed(self.no, self.attempt, error.reason, str(error))])
            context.flush()
        finally:
            telling.end()

    def _make(self, telling: Telling, *, encodes: bool = False) -> None:
        """Make it. `encodes`: even if it could be cut as it is. Raises `gate.CannotBeCut` if that turns out to be wrong."""
        context, spec = self.context, self.context.spec
        shipment = Shipment(context, self.prefix)
        with workplace(context.job.id, self.no) as directory:
            ffmpeg = context.resources.ffmpeg()
            cipher = _cipher(spec)
            before = self._look()
            if self.exactly:
                self._ensure_same(before, self.fingerprint, "changed since it was planned", "Plan it anew.")
            source = probe(self.path, ffmpeg)
            plan = plan_for(source, spec.choices)
            if encodes:
                plan = replace(plan, remuxes=False)
            self._take_place()
            telling.transcoding(source, plan)
            threads = context.resources.encoder_threads()
            companions = Companions(ffmpeg.path, source, plan, directory, shipment, context.control)
            with companions.drawing() if cipher is None else nullcontext():  # pictures in the clear would tell what segments keep
                encoded = transcode(
                    ffmpeg.path, source, plan, directory, shipment, context.control, telling, cipher=cipher, threads=threads
                )
                telling.publishing()
                renditions = gate.prove(plan, source, encoded)
            companions.send_pictures()
            subtitles = companions.send_subtitles(encoded.begins(plan))
            self._ensure_same(before, self._look(), "changed while it was read", "Retry when it is at rest.")
            key = None if cipher is None else Key(spec.hls_key_url, cipher.vector)
            publish(plan, renditions, subtitles, directory, shipment, key)
        self._write_down(plan, renditions, shipment)

    def _take_place(self) -> None:
        """Nobody's objects are replaced, and none of an earlier attempt stays. Raises ObjectExists, StorageError, LeaseLost."""
        context, spec = self.context, self.context.spec
        begun = context.store.videos.has_begun(context.lease, self.no)
        if begun:
            self._clear()
        ensure_empty(context.resources, spec.connection, spec.bucket, self.prefix)
        if not begun:
            context.store.videos.begin(context.lease, self.no)

    def _look(self) -> Fingerprint:
        """Of the file as it is. Raises SourceVanished."""
        try:
            return Fingerprint.of(os.stat(self.path))  # noqa: PTH116 - bytes
        except OSError as error:
            shown = display_text(self.path)
            raise SourceVanished(f"{shown} is not there any more, so nothing was published. Check its path.") from error

    def _ensure_same(self, one: Fingerprint, other: Fingerprint, what: str, step: str) -> None:
        """Raises SourceChanged."""
        if one != other:
            raise SourceChanged(f"{display_text(self.path)} {what}, so nothing was published. {step}")

    def _write_down(self, plan: Plan, renditions: dict[str, Rendition], shipment: Shipment) -> None:
        context, master = self.context, shipment.receipts[MASTER]
        receipt = Receipt(sum(shipment.stored.values()), master.checksum, master.etag, master.version_id)
        facts: list[Fact] = [Uploaded(self.no, self.attempt, receipt), Verified(self.no, shipment.proofs[MASTER])]
        url = context.resources.url(context.spec.connection, ObjectRef(context.spec.bucket, self.key))
        described = [{**asdict(rung), "bytes": sum(size for _, size in renditions[rung.name].weights)} for rung in plan.rungs]
        context.store.videos.published(context.lease, facts, url, described)

    def _withdraw(self) -> None:
        """Leave nothing in the bucket; what the store does not let go of is removed before the next attempt. Raises LeaseLost."""
        context = self.context
        context.store.units.ensure_held(context.lease)
        if context.store.videos.has_begun(context.lease, self.no):
            with suppress(StorageError):
                self._clear()
                context.store.videos.forget(context.lease, self.no)

    def _clear(self) -> None:
        context, spec = self.context, self.context.spec
        attempts = spec.policy.max_attempts
        clear(context.resources, spec.connection, spec.bucket, self.prefix, context.job.id, attempts=attempts)
