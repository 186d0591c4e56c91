"""One unit, from its story to what is written of its end."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from s3tui.errors import CredentialsExpired, LeaseLost, S3tuiError, SourceUnseen, StateError
from s3tui.jobs.context import Context, Resources
from s3tui.jobs.kinds import KINDS
from s3tui.jobs.seeing import ensure_seen
from s3tui.jobs.specs import decode_spec
from s3tui.log_context import about
from s3tui.masking import masked
from s3tui.model import Job, Lease, UnitKind
from s3tui.state.journal import Journal
from s3tui.state.store import Store
from s3tui.text import display_text
from s3tui.worker.at_work import JobAtWork

_log = logging.getLogger(__package__)


class Workbench:
    """What all units of a process are worked on with."""

    def __init__(
        self,
        store: Store,
        journal: Journal,
        resources: Resources,
        *,
        wake: Callable[[], None],
        on_broken: Callable[[StateError], None],
    ) -> None:
        """`wake`: there are new units. `on_broken`: the database cannot be written."""
        self._store = store
        self._journal = journal
        self._resources = resources
        self._wake = wake
        self._on_broken = on_broken

    def carry_out(self, lease: Lease, job: Job, at_work: JobAtWork) -> None:
        """Work on a unit until it is done, or must be given back; nothing is raised."""
        with about(job=job.id):
            try:
                self._work(lease, job, at_work)
            except LeaseLost:
                _log.warning("Unit %d was taken over by another worker.", lease.unit_no)
            except StateError as error:
                self._on_broken(error)
            except SourceUnseen as error:
                self._end_early(lease, partial(self._store.sightings.missed, lease, job.id, str(error)))
            except CredentialsExpired as error:
                with about(code=error.reason):
                    _log.warning("The job waits for a person: %s", error)
                self._end_early(lease, partial(self._store.jobs.pause_for, job.no, error.reason, str(error)))
            except S3tuiError as error:
                self._fail(lease, job, error.reason, str(error))
            except Exception as error:
                _log.exception("Unit %d met a defect of s3tui.", lease.unit_no)
                cause = f"{type(error).__name__}: {display_text(masked(str(error)))}"
                self._fail(lease, job, "internal_error", f"The job stopped on an error of s3tui itself: {cause}. See the log.")

    def _work(self, lease: Lease, job: Job, at_work: JobAtWork) -> None:
        kind = KINDS[job.kind]
        context: Context[Any] = Context(
            job=job,
            spec=decode_spec(job.kind, job.spec),
            lease=lease,
            store=self._store,
            journal=self._journal,
            resources=self._resources,
            control=at_work.control,
            progress=at_work.progress,
            wake=self._wake,
        )
        ensure_seen(context)
        (kind.plan if lease.kind is UnitKind.PLAN else kind.work)(context)
        if at_work.control.stopping:
            context.flush()
            self._store.units.release(lease)
        elif lease.kind is UnitKind.CARRY:
            self._store.units.finish(lease)

    def _fail(self, lease: Lease, job: Job, reason: str, sentence: str) -> None:
        self._end_early(lease, partial(self._store.jobs.fail, job.no, reason, sentence))

    def _end_early(self, lease: Lease, write: Callable[[], None]) -> None:
        """Write why the job does not go on, and give the unit back."""
        try:
            self._journal.flush()
            write()
            self._store.units.release(lease)
        except StateError as error:
            self._on_broken(error)
