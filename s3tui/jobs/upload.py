"""upload: directories of many files to S3, as they are.

The spec says what; the story (`plan`, `work`, `finish`) says how, top to bottom.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import ClassVar

from s3tui.errors import Cancelled, SpecError
from s3tui.events import Failed
from s3tui.jobs.checks import check_target, check_word
from s3tui.jobs.context import Context
from s3tui.jobs.intake import Files
from s3tui.jobs.lists import forget_list, open_list
from s3tui.jobs.targets import Targeted
from s3tui.jobs.watching import check_settling, keep_planning
from s3tui.model import Action, Connection, FileState, Fingerprint, ObjectRef, Policy, StoredObject, Transfer
from s3tui.text import display_text
from s3tui.transfer.choice import Choice
from s3tui.transfer.compare import Prove, compare
from s3tui.transfer.headers import check_headers
from s3tui.transfer.places import Place
from s3tui.transfer.plan import scan, shards
from s3tui.transfer.unchanged import Unchanged
from s3tui.transfer.unreadable import check_sources

_log = logging.getLogger(__name__)

CHECKSUMS = ("crc64nvme", "crc32", "crc32c", "sha256")
IF_EXISTS = ("overwrite", "skip", "fail")


@dataclass(frozen=True, slots=True)
class UploadSpec(Targeted):
    """The arguments of one upload. Raises SpecError when they cannot be used."""

    kind: ClassVar[str] = "upload"
    queue: ClassVar[str] = "upload"

    sources: tuple[str, ...]
    """Absolute paths of directories and files; bytes that are not UTF-8 are surrogate-escaped."""
    target: str
    """`s3://bucket/prefix/`: the prefix is empty or ends in a slash."""
    connection: Connection = field(default_factory=Connection)
    choice: Choice = field(default_factory=Choice)
    policy: Policy = field(default_factory=Policy)
    skip_unchanged: bool = False
    """Leave alone what the target has already, byte for byte."""
    watch: bool = False
    """Keep taking new and changed files until stopped."""
    settle_seconds: float = 2.0
    """How long a file must have been quiet before a watching job takes it."""

    def __post_init__(self) -> None:
        check_target(self.sources, self.target)
        check_word("--checksum", self.policy.checksum, CHECKSUMS)
        check_word("--if-exists", self.policy.if_exists, IF_EXISTS)
        check_word("--encode-names", self.choice.encode_names, ("", "percent"))
        if self.policy.max_attempts < 1:
            raise SpecError("--max-attempts must be at least 1.")
        if self.choice.files_from and len(self.sources) > 1:
            raise SpecError("--files-from lists files below one directory: give exactly one SOURCE.")
        if self.choice.files_from and self.watch:
            raise SpecError("--watch takes files that are not there yet, and --files-from names them all: use one of the two.")
        check_headers(self.policy.headers)
        if self.watch:
            _check_watching(self)

    @property
    def passing(self) -> frozenset[FileState]:
        """The states that its files leave again while it goes on."""
        return frozenset({FileState.PLANNED})


def _check_watching(spec: UploadSpec) -> None:
    """See that nothing is asked of a watching job that only a whole plan could give. Raises SpecError."""
    refused = {
        "--if-exists": "it stores each file again that has changed" if spec.policy.if_exists != "overwrite" else "",
        "--skip-unchanged": "it remembers itself what it has stored" if spec.skip_unchanged else "",
        "--encode-names": "it sees too late that two names become one key" if spec.choice.encode_names else "",
    }
    for option, why in refused.items():
        if why:
            raise SpecError(f"A job that watches takes no {option}, as {why}: leave out one of the two.")
    check_settling(spec.settle_seconds)


def plan(context: Context[UploadSpec]) -> None:
    """Scan the sources and write the plan down, shard by shard; carrying begins meanwhile where nothing forbids it."""
    spec = context.spec
    sources = [os.fsencode(source) for source in spec.sources]
    bucket = context.resources.bucket(spec.connection, spec.bucket)
    bucket.check()
    check_sources(sources)
    if spec.watch:
        keep_planning(context, Files(context))
        return
    if spec.policy.if_exists != "overwrite":
        _warn_of_races(context)
    files = open_list(spec.choice)
    compares = context.job.dry_run or _needs_whole_plan(spec)
    entries = scan(
        sources,
        prefix=spec.prefix,
        choice=spec.choice,
        created_at=context.job.created_at,
        files=files,
        after=context.store.planning.last(context.lease),
    )
    for shard in shards(entries):
        if context.control.stopping:
            return
        context.store.planning.add(context.lease, shard, hold=compares)
        if not compares:
            context.wake()
    if compares and not _compare(context, bucket.list(spec.prefix)):
        return
    context.store.planning.finish(context.lease)
    if files is not None:
        forget_list(files, context.job, context.store)


def work(context: Context[UploadSpec]) -> None:
    """Carry what the unit has still to carry: of a plan that a person has read, exactly what it said."""
    engine = context.resources.engine(context.spec.connection, context.spec.bucket)
    for transfers, policy in _rounds(context):
        engine.carry(transfers, policy, ledger=context, progress=context.progress, control=context.control)
    context.flush()


def _rounds(context: Context[UploadSpec]) -> Iterator[tuple[Iterator[Transfer], Policy]]:
    """What is carried, and how: of a plan that was held against the target, nothing is written over but what it says."""
    policy, chosen = context.spec.policy, _as_planned if context.job.applied else _transfers
    if policy.if_exists == "overwrite" and not context.job.applied:
        yield _transfers(context), policy
        return
    yield chosen(context, set(Action) - {Action.OVERWRITE}), _only_new(policy)
    yield chosen(context, {Action.OVERWRITE}), replace(policy, if_exists="overwrite")


def _warn_of_races(context: Context[UploadSpec]) -> None:
    """Say so if nothing keeps what comes under a key after the target was listed. A dry run does not ask the store: that writes."""
    spec = context.spec
    keeps = context.resources.keeps_conditions(spec.connection, spec.bucket, ask=not context.job.dry_run)
    if not keeps:
        why = "does not keep conditions" if keeps is False else "is not known to keep conditions"
        _log.warning(
            "The store of job %s %s: what another program writes under one of its keys while it runs may be overwritten, in spite "
            "of --if-exists %s.", context.job.id, why, spec.policy.if_exists,
        )  # fmt: skip


def _needs_whole_plan(spec: UploadSpec) -> bool:
    """Whether a file's fate depends on other files or on the target: two sources, or two spellings, may meet in one key."""
    looks = spec.skip_unchanged or spec.policy.if_exists != "overwrite"
    return looks or not _numbered_by_key(spec)


def _numbered_by_key(spec: UploadSpec) -> bool:
    """Whether files are numbered in the order of their keys, so that no two of them can have the same."""
    return len(spec.sources) == 1 and not spec.choice.encode_names


def _compare(context: Context[UploadSpec], stored: Iterable[StoredObject]) -> bool:
    """Hold the plan against the target and write down what differs; False if people's wishes stopped it."""
    spec, planning = context.spec, context.store.planning
    planned = planning.by_key(context.lease, numbered_by_key=_numbered_by_key(spec))
    facts = compare(planned, stored, spec.policy.if_exists, _prove_unchanged(context) if spec.skip_unchanged else None)
    try:
        while page := list(islice(facts, 1000)):
            if context.control.stopping:
                return False
            planning.compared(context.lease, page)
    except Cancelled:
        return False
    return True


def _prove_unchanged(context: Context[UploadSpec]) -> Prove:
    """What finds out which files the target has already."""
    spec = context.spec
    places = [Place(os.fsencode(source)) for source in spec.sources]
    unchanged = Unchanged(
        context.store.planning.remembered(context.lease, numbered_by_key=_numbered_by_key(spec)),
        lambda source_no, path: places[source_no].of(path),
        spec.bucket,
        context.resources.api(spec.connection, spec.bucket),
        spec.policy,
        context.control,
    )
    return unchanged.among


def _transfers(context: Context[UploadSpec], actions: Container[int] = frozenset(Action)) -> Iterator[Transfer]:
    """What the unit has still to carry. It runs once for each file, so what is the same for all is found before."""
    places = [Place(os.fsencode(source)) for source in context.spec.sources]
    bucket, unsure = context.spec.bucket, context.lease.after_crash
    for source_no, path, no, key, action, fingerprint, attempts, upload in context.store.transfers.to_carry(context.lease):
        if action in actions:
            yield Transfer(no, places[source_no].of(path), ObjectRef(bucket, key), fingerprint, attempts, unsure, upload)


def _as_planned(context: Context[UploadSpec], actions: Container[int]) -> Iterator[Transfer]:
    """The same of a plan that was read; a file that it does not describe any more fails.

    Who retries such a file wants it as it is now.
    """
    for transfer in _transfers(context, actions):
        if transfer.attempts == 0 and _has_changed(transfer):
            step = "Plan again, or retry to send it as it is now."
            sentence = f"{display_text(transfer.path)} has changed since the plan was made, so it was not sent. {step}"
            context.record([Failed(transfer.no, 1, "changed_since_planned", sentence)])
        else:
            yield transfer


def _has_changed(transfer: Transfer) -> bool:
    """Whether the file is another one than was planned, or holds something else. That it is gone is for the engine to say."""
    try:
        return Fingerprint.of(os.stat(transfer.path)) != transfer.fingerprint  # noqa: PTH116 - bytes
    except OSError:
        return False


def _only_new(policy: Policy) -> Policy:
    """The policy of objects that the plan called new: what has come under their keys since is left alone."""
    return replace(policy, if_exists="fail") if policy.if_exists == "overwrite" else policy
