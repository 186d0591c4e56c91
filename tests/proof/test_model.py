"""Commands through the door and steps of workers in any order, held against a small model of what must be true.

The model knows which files of a job were stored, which have failed, which leases hold, and which jobs were cancelled. After each
step the database says the same; whoever has lost a lease changes nothing; and every job that nobody cancelled gets to its end.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from s3tui.errors import Conflict, LeaseLost
from s3tui.events import Fact, Failed, Uploaded
from s3tui.jobs.upload import UploadSpec
from s3tui.model import FileState, Job, JobState, Lease, UnitKind
from s3tui.service import Service
from s3tui.state.settling import LEASED
from s3tui.state.store import Store
from s3tui.state.transfers import write_facts
from s3tui.state.units import Claimant
from tests.proof.scale import FULL
from tests.state.scenes import planned, register, uploaded

_WORKERS = 2
_MEMORY = Path("/dev/shm")
_picks = st.integers(0, 1000)


@dataclass
class Known:
    """What the model knows of a job."""

    files: int = 0
    stored: set[int] = field(default_factory=set)
    failed: set[int] = field(default_factory=set)
    cancelled: bool = False


@dataclass
class Held:
    """A unit that a worker has, or believes that it has."""

    lease: Lease
    worker: Claimant
    lost: bool = False


class Door(RuleBasedStateMachine):
    """One state database, its door, and two workers."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(dir=_MEMORY if _MEMORY.is_dir() else None))
        (self.directory / "source").mkdir()
        self.store = Store("sqlite", self.directory)
        self.service = Service(self.store)
        self.known: dict[str, Known] = {}
        self.held: list[Held] = []
        self.lives = 0
        self.workers = [self._new_worker() for _ in range(_WORKERS)]

    def teardown(self) -> None:
        """In the end everything that may go on gets to its end."""
        try:
            self._bring_to_the_end()
            self.all_is_as_the_model_has_it()
        finally:
            self.store.close()
            shutil.rmtree(self.directory)

    # What people do.

    @rule(place=st.integers(0, 2))
    def submit(self, place: int) -> None:
        done = self.service.submit(self._spec(place), concurrency=1)
        assert done.resumed == (done.job_id in self.known)
        self.known.setdefault(done.job_id, Known())

    @rule(place=st.integers(0, 2))
    def plan(self, place: int) -> None:
        self.known[self.service.plan(self._spec(place), concurrency=1)] = Known()

    @precondition(lambda self: self.known)
    @rule(pick=_picks, verb=st.sampled_from(["apply", "pause", "resume", "cancel", "retry"]))
    def steer(self, pick: int, verb: str) -> None:
        job, known = self._job(pick)
        try:
            getattr(self.service, verb)(job.id)
        except Conflict:
            after = self.service.job(job.id)
            assert (after.state, after.totals) == (job.state, job.totals), "a refusal changes nothing"
            return
        assert not known.cancelled or verb == "cancel"
        known.cancelled |= verb == "cancel" and not job.state.ended
        if verb in ("retry", "resume"):
            self._see_what_is_planned_again(job.id, known)

    # What workers do.

    @rule(worker=st.integers(0, _WORKERS - 1))
    def claim(self, worker: int) -> None:
        claimed = self.store.units.claim(self.workers[worker])
        if claimed is None:
            return
        lease, job = claimed
        assert not self.known[job.id].cancelled
        for held in self.held:
            same = (held.lease.job_no, held.lease.unit_no) == (lease.job_no, lease.unit_no)
            assert not same or held.lost, "nobody else has it"
        self.held.append(Held(lease, self.workers[worker]))

    @precondition(lambda self: self.held)
    @rule(pick=_picks, count=st.integers(1, 4), end=st.booleans())
    def plan_on(self, pick: int, count: int, end: bool) -> None:
        held = self.held[pick % len(self.held)]
        if held.lease.kind is not UnitKind.PLAN:
            return
        known = self._known_of(held)
        names = [planned(f"{known.files + number:04}") for number in range(count)]
        if self._done(held, lambda: self.store.planning.add(held.lease, names, hold=self._job_of(held).dry_run)):
            known.files += count
        if end and self._done(held, lambda: self.store.planning.finish(held.lease)):
            self.held.remove(held)

    @precondition(lambda self: self.held)
    @rule(pick=_picks, outcomes=st.lists(st.booleans(), min_size=1, max_size=4))
    def carry(self, pick: int, outcomes: list[bool]) -> None:
        held = self.held[pick % len(self.held)]
        if held.lease.kind is UnitKind.PLAN:
            return
        waiting = self._waiting(held.lease)
        facts = [_fact(number, stored) for number, stored in zip(waiting, outcomes, strict=False)]
        if facts and self._done(held, lambda: self._write(held.lease, facts)):
            known = self._known_of(held)
            known.stored |= {fact.no for fact in facts if isinstance(fact, Uploaded)}
            known.failed |= {fact.no for fact in facts if isinstance(fact, Failed)}
        if len(outcomes) > len(waiting) and self._done(held, lambda: self.store.units.finish(held.lease)):
            self.held.remove(held)

    @precondition(lambda self: self.held)
    @rule(pick=_picks)
    def release(self, pick: int) -> None:
        held = self.held.pop(pick % len(self.held))
        self.store.units.release(held.lease)

    @rule(worker=st.integers(0, _WORKERS - 1))
    def crash(self, worker: int) -> None:
        """It stops beating; what it still writes comes too late once somebody has noticed."""
        dead = self.workers[worker]
        with self.store.database.write() as connection:
            connection.execute("UPDATE unit SET lease_until = 1 WHERE worker = :worker", worker=dead.id)
            connection.execute("UPDATE worker SET alive_until = 1 WHERE id = :worker", worker=dead.id)
        self.store.units.reap()
        for held in self.held:
            held.lost |= held.worker == dead
        self.workers[worker] = self._new_worker()

    # What must be true.

    @invariant()
    def all_is_as_the_model_has_it(self) -> None:
        for job_id, known in self.known.items():
            job = self.service.job(job_id)
            rows = self.store.transfers.window(job.no, 0, 10_000)
            states = Counter(row.state for row in rows)
            totals = job.totals
            assert totals.found == len(rows) == known.files
            assert {row.no for row in rows if row.state is FileState.UPLOADED} == known.stored
            assert totals.uploaded == len(known.stored)
            assert (totals.failed, totals.skipped) == (states[FileState.FAILED], states[FileState.SKIPPED])
            assert known.failed <= {row.no for row in rows if row.state is FileState.FAILED}
            assert (job.state is JobState.CANCELLED) <= known.cancelled
            if job.state in (JobState.COMPLETED, JobState.PARTIAL, JobState.CANCELLED):
                assert totals.found == totals.uploaded + totals.skipped + totals.failed
                assert (job.state is JobState.PARTIAL) == (totals.failed > 0 and not known.cancelled)

    @invariant()
    def leases_are_as_the_model_has_them(self) -> None:
        with self.store.database.read() as connection:
            leased = set(connection.rows(f"SELECT job_no, no, token FROM unit WHERE state = {LEASED}"))
        assert leased == {(held.lease.job_no, held.lease.unit_no, held.lease.token) for held in self.held if not held.lost}

    # How it is done.

    def _spec(self, place: int) -> UploadSpec:
        return UploadSpec((str(self.directory / "source"),), f"s3://bucket/{place}/")

    def _new_worker(self) -> Claimant:
        self.lives += 1
        worker = Claimant(f"worker-{self.lives}", "", ("upload",), home_only=False)
        register(self.store, worker)
        return worker

    def _job(self, pick: int) -> tuple[Job, Known]:
        job_id = list(self.known)[pick % len(self.known)]
        return self.service.job(job_id), self.known[job_id]

    def _known_of(self, held: Held) -> Known:
        return self.known[self._job_of(held).id]

    def _job_of(self, held: Held) -> Job:
        return self.store.jobs.by_no(held.lease.job_no)

    def _waiting(self, lease: Lease) -> list[int]:
        return [number for _source, _path, number, *_rest in self.store.transfers.to_carry(lease)]

    def _write(self, lease: Lease, facts: list[Fact]) -> None:
        with self.store.database.write() as connection:
            write_facts(connection, lease, facts)

    def _done(self, held: Held, step: Callable[[], object]) -> bool:
        """Take a step of a worker; whether it counted. It does if, and only if, the lease holds."""
        try:
            step()
        except LeaseLost:
            assert held.lost
            return False
        assert not held.lost
        return True

    def _see_what_is_planned_again(self, job_id: str, known: Known) -> None:
        rows = self.store.transfers.window(self.service.job(job_id).no, 0, 10_000)
        known.failed &= {row.no for row in rows if row.state is FileState.FAILED}

    def _bring_to_the_end(self) -> None:
        for worker in range(_WORKERS):
            self.crash(worker)
        for _ in ("what was only planned is applied then", "and carried"):
            self._let_all_go_on()
            self._work_off()
        for job_id, known in self.known.items():
            state = self.service.job(job_id).state
            assert state.ended, f"{state}: it does not get to its end"
            assert known.cancelled or state in (JobState.COMPLETED, JobState.PARTIAL), state

    def _let_all_go_on(self) -> None:
        for job_id, known in self.known.items():
            state = self.service.job(job_id).state
            if state is JobState.PLANNED:
                self.service.apply(job_id)
            elif not known.cancelled and (not state.ended or state is JobState.FAILED):
                self.service.resume(job_id)
                self._see_what_is_planned_again(job_id, known)

    def _work_off(self) -> None:
        while claimed := self.store.units.claim(self.workers[0]):
            lease, job = claimed
            if lease.kind is UnitKind.PLAN:
                self.store.planning.finish(lease)
            else:
                waiting = self._waiting(lease)
                self._write(lease, [uploaded(number) for number in waiting])
                self.known[job.id].stored |= {*waiting}
                self.store.units.finish(lease)


def _fact(number: int, stored: bool) -> Fact:
    return uploaded(number) if stored else Failed(number, 1, "access_denied", "It was refused.")


class Careless(Door):
    """Workers that write whether or not the unit is theirs still: the negative control."""

    def _write(self, lease: Lease, facts: list[Fact]) -> None:
        with self.store.database.read() as connection:
            query = "SELECT token, worker FROM unit WHERE job_no = :job_no AND no = :no"
            [(token, worker)] = connection.rows(query, job_no=lease.job_no, no=lease.unit_no)
        super()._write(replace(lease, token=token, worker=worker), facts)


@pytest.mark.parametrize("door", [Door, Careless])
def test_without_the_token_the_model_sees_what_comes_too_late(door: type[Door]) -> None:
    machine = door()
    machine.submit(0)
    machine.claim(0)
    machine.plan_on(0, 3, end=True)
    machine.claim(0)
    machine.crash(0)
    machine.claim(1)
    with pytest.raises(AssertionError) if door is Careless else nullcontext():
        machine.carry(0, [True])
    machine.store.close()


TestDoor = Door.TestCase
TestDoor.settings = settings(
    max_examples=1000 if FULL else 20,
    stateful_step_count=60 if FULL else 30,
    deadline=None,
    suppress_health_check=[*HealthCheck],
)
