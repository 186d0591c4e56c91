"""backup: an upload that proves what it stored and then, if it is asked to, deletes the sources.

    carried ──▶ proven (a receipt, durable) ──▶ deletion intended (durable) ──▶ deleted ──▶ emptied directories removed

Each unit takes these steps one after the other, page by page, and each finds by the rows what the one before it has left to do:
whoever takes up a unit after a crash goes on where they say.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import ClassVar

from s3tui.errors import Cancelled, NotIdentical, S3tuiError, SourceKept, SourceVanished, SpecError, StorageError, Unproven
from s3tui.events import DeletionIntended, SourceDeleted, Step, Unverified, Verified, Withdrawn
from s3tui.jobs import upload
from s3tui.jobs.context import Context
from s3tui.jobs.upload import UploadSpec
from s3tui.model import FileState, ObjectRef, Stored
from s3tui.state.options import state_directory
from s3tui.text import display_text
from s3tui.transfer.deletion import Deletion
from s3tui.transfer.part_sizes import part_size_for
from s3tui.transfer.places import Place
from s3tui.transfer.proof import Prover
from s3tui.transfer.streaks import Streaks

_LOOKS_AT_A_TIME = 32
_DELETED_AT_A_TIME = 100
"""Sources whose deletion is written down before the first of them goes."""


@dataclass(frozen=True, slots=True)
class BackupSpec(UploadSpec):
    """The arguments of one backup. Raises SpecError when they cannot be used."""

    kind: ClassVar[str] = "backup"

    delete_after_upload: bool = False
    """Delete each source once its object is proven."""
    prune_empty_dirs: bool = True
    """Remove the directories that this has emptied."""

    def __post_init__(self) -> None:
        UploadSpec.__post_init__(self)
        if self.delete_after_upload:
            _refuse_overlaps(self.sources)

    @property
    def passing(self) -> frozenset[FileState]:
        """See `UploadSpec`."""
        return frozenset({FileState.PLANNED, FileState.UPLOADED, *([FileState.VERIFIED] if self.delete_after_upload else [])})


def _refuse_overlaps(sources: Sequence[str]) -> None:
    """A source within another one would be sent twice, and be gone when the second time comes."""
    for source in sources:
        for other in sources:
            if source is not other and os.path.join(source, "").startswith(os.path.join(other, "")):  # noqa: PTH118 - as they are
                inner, outer = display_text(source), display_text(other)
                raise SpecError(f"{inner} lies in {outer}, and what is deleted can be sent only once: name one of them.")


def work(context: Context[BackupSpec]) -> None:
    """Carry what the unit has still to carry, prove what is stored, and delete what is proven."""
    upload.work(context)
    _prove(context)
    if context.spec.delete_after_upload:
        _delete(context)


def _prove(context: Context[BackupSpec]) -> None:
    """Find proof for what is stored, and write it down.

    What is to be deleted and was proven already was so under another lease, perhaps long ago, and is looked at anew.
    """
    judge, transfers = _Judge(context), context.store.transfers
    states = (FileState.VERIFIED, FileState.UPLOADED) if context.spec.delete_after_upload else (FileState.UPLOADED,)
    with ThreadPoolExecutor(_LOOKS_AT_A_TIME, thread_name_prefix="proof") as pool:
        for page in chain.from_iterable(transfers.stored(context.lease, state) for state in states):
            facts = [fact for fact in pool.map(judge.fact, page) if fact is not None]
            context.record(facts)
            context.flush()
            judge.raise_what_concerns_all()
            if context.control.stopping:
                return


class _Judge:
    """Says of what is stored whether it is proven. Thread-safe."""

    def __init__(self, context: Context[BackupSpec]) -> None:
        spec, self._control = context.spec, context.control
        resources, policy = context.resources, spec.policy
        checked = resources.checks(spec.connection, spec.bucket, policy.checksum)
        api = resources.api(spec.connection, spec.bucket)
        self._prover = Prover(api, policy, self._control, checked=checked, looks=spec.delete_after_upload)
        self._bucket, self._deletes = spec.bucket, spec.delete_after_upload
        self._places = [Place(os.fsencode(source)) for source in spec.sources]
        self._streaks = Streaks()
        self._error: S3tuiError | None = None

    def fact(self, stored: Stored) -> Step | None:
        """What is now known of it; None if it was not looked at, as the job stops or its source went by the proof that it had."""
        if self._control.stopping or self._error is not None:
            return None
        source, target = self._places[stored.source_no].of(stored.path), ObjectRef(self._bucket, stored.key)
        if stored.deleting and not os.path.lexists(source):
            return None
        try:
            proof = self._prover.prove(source, target, stored.receipt)
        except Cancelled:
            return None
        except NotIdentical as error:
            return Withdrawn(stored.no, error.reason, str(error))
        except StorageError as error:
            if self._streaks.concerns_all(error):
                self._error = error
                return None
            return self._unproven(stored, error)
        self._streaks.succeeded()
        return Verified(stored.no, proof)

    def _unproven(self, stored: Stored, error: StorageError) -> Step:
        """Without proof a backup stands, but nothing is deleted."""
        if self._deletes:
            return Withdrawn(stored.no, Unproven.reason, f"{display_text(stored.path)} is not deleted: {error}")
        return Unverified(stored.no, str(error))

    def raise_what_concerns_all(self) -> None:
        """Raise the error, if there was one, with which nothing could be proven any more."""
        if self._error is not None:
            raise self._error


def _delete(context: Context[BackupSpec]) -> None:
    """Delete the sources of what is proven, and the directories that are empty by that."""
    own = os.fsencode(state_directory())
    deletions = [Deletion(os.fsencode(source), own=own) for source in context.spec.sources]
    for page in _pages(context, FileState.VERIFIED):
        context.record([DeletionIntended(stored.no) for stored in page])
        context.flush()
        if context.control.stopping:  # as it is when the unit has become another worker's
            return
        steps = [_deleted(context, deletions[stored.source_no], stored) for stored in page]
        context.record([step for step in steps if step is not None])
        context.flush()
    if context.spec.prune_empty_dirs and not context.spec.watch:  # whoever writes into a watched directory may be about to
        for page in _pages(context, FileState.DELETED):
            for no, deletion in enumerate(deletions):
                deletion.prune(stored.path for stored in page if stored.source_no == no)


def _deleted(context: Context[BackupSpec], deletion: Deletion, stored: Stored) -> Step | None:
    """Delete one source; what became of it, None if the job stops first."""
    control = context.control
    if control.stopping:
        return None
    part_size = part_size_for(stored.receipt.size, context.spec.policy.part_size)
    try:
        deletion.delete(
            stored.path,
            stored.fingerprint,
            stored.receipt.checksum,
            part_size,
            control.raise_if_broken_off,
            aside=f".s3tui-{context.job.id}-{stored.no}".encode(),
        )
    except Cancelled:
        return None
    except SourceVanished as error:
        if not (stored.deleting and deletion.is_gone(stored.path)):
            return Withdrawn(stored.no, error.reason, str(error))
    except SourceKept as error:
        return Withdrawn(stored.no, error.reason, str(error))
    return SourceDeleted(stored.no)


def _pages(context: Context[BackupSpec], state: FileState) -> Iterator[list[Stored]]:
    """What the unit has of this state, a few at a time."""
    for page in context.store.transfers.stored(context.lease, state):
        for start in range(0, len(page), _DELETED_AT_A_TIME):
            if context.control.stopping:
                return
            yield page[start : start + _DELETED_AT_A_TIME]
