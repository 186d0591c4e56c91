"""upload: directories of many files to S3, as they are.

The spec says what; the story (`plan`, `work`, `finish`) says how, top to bottom.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import ClassVar

from s3tui.errors import SpecError
from s3tui.jobs.context import Context
from s3tui.model import Connection, ObjectRef, Policy, StoredObject, Transfer
from s3tui.transfer.compare import compare
from s3tui.transfer.filters import Rules
from s3tui.transfer.plan import check_sources, scan, shards

CHECKSUMS = ("crc64nvme", "crc32", "crc32c", "sha256")
IF_EXISTS = ("overwrite", "skip", "fail")


@dataclass(frozen=True, slots=True)
class UploadSpec:
    """The arguments of one upload. Raises SpecError when they cannot be used."""

    kind: ClassVar[str] = "upload"
    queue: ClassVar[str] = "upload"

    sources: tuple[str, ...]
    """Absolute paths of directories and files; bytes that are not UTF-8 are surrogate-escaped."""
    target: str
    """`s3://bucket/prefix/`: the prefix is empty or ends in a slash."""
    connection: Connection = field(default_factory=Connection)
    rules: tuple[tuple[str, str], ...] = ()
    """(`include` or `exclude`, glob) in the order given; the last match wins."""
    follow_symlinks: bool = False
    encode_names: str = ""
    """`percent`: bytes that are not UTF-8 become `%XX` in the key."""
    policy: Policy = field(default_factory=Policy)

    def __post_init__(self) -> None:
        if not self.sources:
            raise SpecError("Nothing to upload: give at least one SOURCE.")
        if not self.bucket:
            raise SpecError(f"{self.target!r} is not a target: write it as s3://BUCKET or s3://BUCKET/PREFIX.")
        _one_of("--checksum", self.policy.checksum, CHECKSUMS)
        _one_of("--if-exists", self.policy.if_exists, IF_EXISTS)
        _one_of("--encode-names", self.encode_names, ("", "percent"))
        if self.policy.max_attempts < 1:
            raise SpecError("--max-attempts must be at least 1.")

    @property
    def bucket(self) -> str:
        """The target's bucket."""
        return self.target.removeprefix("s3://").partition("/")[0] if self.target.startswith("s3://") else ""

    @property
    def prefix(self) -> str:
        """The target's prefix: empty, or ending in a slash."""
        return self.target.removeprefix("s3://").partition("/")[2]


def _one_of(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SpecError(f"{option} {value!r} is not known; choose one of {', '.join(word for word in allowed if word)}.")


def plan(context: Context[UploadSpec]) -> None:
    """Scan the sources and write the plan down, shard by shard; carrying begins meanwhile where nothing forbids it."""
    spec = context.spec
    sources = [os.fsencode(source) for source in spec.sources]
    bucket = context.resources.bucket(spec.connection, spec.bucket)
    bucket.check()
    check_sources(sources)
    compares = context.job.dry_run or _needs_whole_plan(spec)
    entries = scan(
        sources,
        prefix=spec.prefix,
        rules=Rules(spec.rules),
        follow_symlinks=spec.follow_symlinks,
        encode_names=spec.encode_names,
        after=context.store.planning.last(context.lease),
    )
    for shard in shards(entries):
        if context.control.stopping:
            return
        context.store.planning.add(context.lease, shard, hold=compares)
    if compares and not _compare(context, bucket.list(spec.prefix)):
        return
    context.store.planning.finish(context.lease)


def work(context: Context[UploadSpec]) -> None:
    """Carry what the unit has still to carry."""
    engine = context.resources.engine(context.spec.connection)
    engine.carry(
        _transfers(context), context.spec.policy, record=context.record, progress=context.progress, control=context.control
    )
    context.flush()


def _needs_whole_plan(spec: UploadSpec) -> bool:
    """Whether a file's fate depends on other files or on the target: two sources, or two spellings, may meet in one key."""
    return len(spec.sources) > 1 or bool(spec.encode_names) or spec.policy.if_exists != "overwrite"


def _compare(context: Context[UploadSpec], stored: Iterable[StoredObject]) -> bool:
    """Hold the plan against the target and write down what differs; False if people's wishes stopped it."""
    facts = compare(context.store.planning.by_key(context.lease), stored, context.spec.policy.if_exists)
    while page := list(islice(facts, 1000)):
        if context.control.stopping:
            return False
        context.store.planning.compared(context.lease, page)
    return True


def _transfers(context: Context[UploadSpec]) -> Iterator[Transfer]:
    sources = [os.fsencode(source) for source in context.spec.sources]
    for source_no, path, number, key, fingerprint, attempts in context.store.transfers.to_carry(context.lease):
        target = ObjectRef(context.spec.bucket, key)
        located = _located(sources[source_no], path)
        yield Transfer(number, located, target, fingerprint, attempts, unsure=context.lease.after_crash)


def _located(source: bytes, path: bytes) -> bytes:
    """Where a file of the plan is: below its source, or the source itself if that is a file.

    A directory that vanished must not make us look beside it, so only the source's own name can mean the source.
    """
    if path == os.path.basename(source) and not os.path.isdir(source):  # noqa: PTH112, PTH119 - bytes
        return source
    return os.path.join(source, path)  # noqa: PTH118 - bytes
