"""Open uploads: what is written of them before and after each step on the store, and who sweeps what nobody goes on with."""

from __future__ import annotations

import threading

import pytest

from s3tui.errors import Conflict, LeaseLost
from s3tui.events import Fact, Failed, PartStored, UploadDropped, UploadIntended, UploadOpened
from s3tui.model import Desired, Fingerprint, Job, JobState, Lease, ObjectRef, StoredPart
from s3tui.service import Service
from s3tui.state.store import Store
from s3tui.state.transfers import write_facts
from s3tui.state.units import Claimant
from tests.state.scenes import ANN, BOB, claim, new_job, plan, planned, register, uploaded

OPENED_AS = Fingerprint(30, 11, 12)


def intended(no: int, *, part_size: int = 8) -> UploadIntended:
    return UploadIntended(no, ObjectRef("bucket", f"p/{no}"), part_size, OPENED_AS, "crc64nvme")


def part(no: int, number: int, size: int = 8) -> PartStored:
    return PartStored(no, number, size, f"sum{number}", f'"e{number}"')


def stored_part(number: int, size: int = 8) -> StoredPart:
    return StoredPart(number, size, f"sum{number}", f'"e{number}"')


def write(store: Store, lease: Lease, *facts: Fact) -> None:
    with store.database.write() as connection:
        write_facts(connection, lease, facts)


def begun(store: Store, *, identity: str = "", home: str | None = None, claimant: Claimant = ANN) -> tuple[Job, Lease]:
    """A job at work on three files; of the first, two parts are stored, of the second, the store's answer is not known."""
    job = new_job(store, identity=identity, home=home)
    plan(store, [[planned("a"), planned("b"), planned("c")]], claimant=claimant)
    lease = claim(store, claimant)
    write(store, lease, intended(0), UploadOpened(0, "id-0"), part(0, 2), part(0, 1), intended(1))
    return job, lease


def ended(store: Store, *, state: JobState, identity: str = "", home: str | None = None, claimant: Claimant = ANN) -> Job:
    """A job that ended with two open uploads."""
    job, lease = begun(store, identity=identity, home=home, claimant=claimant)
    if state is JobState.CANCELLED:
        store.jobs.desire(job.no, Desired.CANCEL)
        store.units.release(lease)
    else:
        write(store, lease, *(Failed(no, 5, "access_denied", "No.") for no in range(3)))
        store.units.finish(lease)
    assert store.jobs.by_no(job.no).state is state
    return job


def test_whoever_takes_the_unit_next_gets_what_the_store_holds(store: Store) -> None:
    register(store, ANN)
    _job, lease = begun(store)
    store.units.release(lease)
    first, second, third = [carried[-1] for carried in store.transfers.to_carry(claim(store))]
    assert first is not None
    assert second is not None
    assert (first.no, first.target, first.upload_id) == (0, ObjectRef("bucket", "p/0"), "id-0")
    assert (first.part_size, first.fingerprint, first.checksum) == (8, OPENED_AS, "crc64nvme")
    assert first.parts == (stored_part(1), stored_part(2))
    assert first.intended_at > 0
    assert (second.no, second.upload_id, second.parts) == (1, "", ())
    assert third is None


def test_facts_about_uploads_may_be_written_twice(store: Store) -> None:
    register(store, ANN)
    job, lease = begun(store)
    before = store.multiparts.of_job(job.no)
    write(store, lease, intended(0), UploadOpened(0, "id-0"), part(0, 1), part(0, 2), intended(1))
    assert store.multiparts.of_job(job.no) == before


def test_an_upload_that_is_open_gives_way_to_another_only_when_it_was_dropped(store: Store) -> None:
    register(store, ANN)
    job, lease = begun(store)
    write(store, lease, intended(0, part_size=16))
    assert store.multiparts.of_job(job.no)[0].part_size == 8
    write(store, lease, UploadDropped(0), intended(0, part_size=16))
    again = store.multiparts.of_job(job.no)[0]
    assert (again.part_size, again.upload_id, again.parts) == (16, "", ())


def test_a_part_that_is_sent_again_replaces_what_was_known_of_it(store: Store) -> None:
    register(store, ANN)
    job, lease = begun(store)
    write(store, lease, PartStored(0, 2, 7, "other", '"f"'))
    assert store.multiparts.of_job(job.no)[0].parts == (stored_part(1), StoredPart(2, 7, "other", '"f"'))


def test_a_part_that_comes_too_late_belongs_to_no_upload(store: Store) -> None:
    register(store, ANN)
    job, lease = begun(store)
    write(store, lease, UploadDropped(0), part(0, 3))
    write(store, lease, intended(0))
    assert store.multiparts.of_job(job.no)[0].parts == ()


def test_an_upload_ends_with_its_file(store: Store) -> None:
    register(store, ANN)
    job, lease = begun(store)
    write(store, lease, part(0, 3), uploaded(0), uploaded(2))
    assert [upload.no for upload in store.multiparts.of_job(job.no)] == [1]
    write(store, lease, intended(0))
    assert store.multiparts.of_job(job.no)[0].parts == (), "its parts were forgotten, too"


def test_a_failed_file_keeps_its_upload_for_a_retry(store: Store) -> None:
    register(store, ANN)
    job = ended(store, state=JobState.PARTIAL)
    store.jobs.retry(job.no, [0], home=None, identity="")
    [carried] = store.transfers.to_carry(claim(store))
    upload = carried[-1]
    assert upload is not None
    assert upload.parts == (stored_part(1), stored_part(2))


def test_nothing_is_written_under_a_lost_lease(store: Store) -> None:
    register(store, ANN, BOB)
    job, lease = begun(store)
    with store.database.write() as connection:
        connection.execute("UPDATE unit SET lease_until = 1")
    store.units.reap()
    claim(store, BOB)
    with pytest.raises(LeaseLost):
        write(store, lease, UploadDropped(0))
    assert len(store.multiparts.of_job(job.no)) == 2


def test_what_lingers_is_listed_with_its_job_and_its_size(store: Store) -> None:
    register(store, ANN)
    job, _lease = begun(store)
    opened, unanswered = store.multiparts.lingering()
    assert (opened.job_id, opened.job_state, opened.target) == (job.id, JobState.RUNNING, ObjectRef("bucket", "p/0"))
    assert (opened.upload_id, opened.stored) == ("id-0", 16)
    assert opened.intended_at > 0
    assert (unanswered.upload_id, unanswered.stored) == ("", 0)


def test_what_a_cancelled_job_left_open_is_swept(store: Store) -> None:
    register(store, ANN)
    job = ended(store, state=JobState.CANCELLED)
    [(of, first)] = store.multiparts.to_sweep(ANN, limit=1)
    assert (of.no, of.spec, first.no, first.upload_id) == (job.no, "{}", 0, "id-0")
    [(_job, second)] = store.multiparts.to_sweep(ANN, limit=9)
    assert second.no == 1, "the first one is taken for a minute"
    store.multiparts.dropped(job.no, 0)
    store.multiparts.dropped(job.no, 1)
    assert store.multiparts.lingering() == []


def test_a_sweeper_leaves_alone_what_the_job_has_begun_anew(store: Store) -> None:
    register(store, ANN)
    job = ended(store, state=JobState.PARTIAL)
    store.jobs.desire(job.no, Desired.CANCEL)
    assert len(store.multiparts.to_sweep(BOB, limit=1)) == 1
    store.jobs.retry(job.no, [0], home=None, identity="")
    write(store, claim(store), UploadDropped(0), intended(0, part_size=16))
    store.multiparts.dropped(job.no, 0)
    assert [upload.part_size for upload in store.multiparts.of_job(job.no)] == [16, 8]


def test_an_upload_is_swept_again_when_its_sweeper_died(store: Store) -> None:
    register(store, ANN)
    ended(store, state=JobState.CANCELLED)
    assert len(store.multiparts.to_sweep(ANN, limit=9)) == 2
    assert store.multiparts.to_sweep(BOB, limit=9) == []
    with store.database.write() as connection:  # as if a minute had passed
        connection.execute("UPDATE multipart SET swept_until = 1")
    assert len(store.multiparts.to_sweep(BOB, limit=9)) == 2


def test_two_sweepers_at_once_share_the_uploads(store: Store) -> None:
    register(store, ANN, BOB)
    for _round in range(10):
        ended(store, state=JobState.CANCELLED)
    swept: list[tuple[int, int]] = []
    gate = threading.Barrier(2)

    def sweep(claimant: Claimant) -> None:
        gate.wait()
        for _round in range(25):
            swept.extend((job.no, upload.no) for job, upload in store.multiparts.to_sweep(claimant, limit=1))

    threads = [threading.Thread(target=sweep, args=(claimant,)) for claimant in (ANN, BOB)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(swept) == len(set(swept)) == 20


def test_what_a_job_may_go_on_with_is_not_swept(store: Store) -> None:
    register(store, ANN)
    ended(store, state=JobState.PARTIAL)
    paused, lease = begun(store)
    store.jobs.desire(paused.no, Desired.PAUSE)
    store.units.release(lease)
    assert store.multiparts.to_sweep(ANN, limit=9) == []


def test_nothing_is_swept_while_a_worker_may_be_sending_parts(store: Store) -> None:
    register(store, ANN)
    job, lease = begun(store)
    store.jobs.desire(job.no, Desired.CANCEL)
    assert store.multiparts.to_sweep(ANN, limit=9) == []
    store.units.release(lease)
    assert len(store.multiparts.to_sweep(ANN, limit=9)) == 2


def test_only_a_worker_that_could_carry_the_job_sweeps_it(store: Store) -> None:
    home = Claimant("home", "someone", ("upload",), home_only=True)
    register(store, ANN, home)
    ended(store, state=JobState.CANCELLED, identity="someone", home="home", claimant=home)
    eve = Claimant("eve", "someone", ("upload",), home_only=False)
    assert store.multiparts.to_sweep(ANN, limit=9) == [], "other credentials"
    assert store.multiparts.to_sweep(Claimant("vic", "someone", ("video",), home_only=False), limit=9) == []
    assert store.multiparts.to_sweep(eve, limit=9) == [], "its own worker lives"
    assert len(store.multiparts.to_sweep(home, limit=1)) == 1
    store.workers.unregister("home")
    assert len(store.multiparts.to_sweep(eve, limit=9)) == 1


def test_an_ended_job_can_be_cancelled_while_it_has_open_uploads(store: Store) -> None:
    register(store, ANN)
    service = Service(store)
    job = ended(store, state=JobState.PARTIAL)
    service.cancel(job.id)
    cancelled = store.jobs.by_no(job.no)
    assert (cancelled.state, cancelled.desired) == (JobState.PARTIAL, Desired.CANCEL)
    assert cancelled.totals.failed == 3
    for of, upload in store.multiparts.to_sweep(ANN, limit=9):
        store.multiparts.dropped(of.no, upload.no)
    with pytest.raises(Conflict, match="partial already"):
        service.cancel(job.id)
