"""Videos in the state database: whose prefix is whose, what is published, and who sweeps what nobody publishes any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from s3tui.errors import LeaseLost
from s3tui.model import Lease
from s3tui.service import Service
from s3tui.state.store import Store
from tests.state.scenes import ANN, BOB, claim, new_job, plan, planned, register, uploaded


def at_work(store: Store) -> tuple[str, Lease]:
    """A job whose two files are being worked on."""
    job = new_job(store)
    register(store, ANN, BOB)
    plan(store, [[planned("a"), planned("b")]])
    return job.id, claim(store)


def test_a_prefix_is_the_videos_own_from_its_beginning_until_it_is_forgotten(store: Store) -> None:
    _, lease = at_work(store)
    store.videos.begin(lease, 0)
    assert [store.videos.has_begun(lease, no) for no in (0, 1)] == [True, False]
    store.videos.forget(lease, 0)
    assert not store.videos.has_begun(lease, 0)


def test_only_what_is_published_has_an_address(store: Store) -> None:
    job_id, lease = at_work(store)
    for no in (0, 1):
        store.videos.begin(lease, no)
    store.videos.published(lease, [uploaded(1)], "http://s3/b/master.m3u8", [{"name": "720p"}])
    job = Service(store).job(job_id)
    assert store.videos.published_of(job.no, [0, 1]) == {1: ("http://s3/b/master.m3u8", [{"name": "720p"}])}
    assert job.totals.uploaded == 1


def test_nothing_is_written_under_a_lost_lease(store: Store) -> None:
    job_id, lease = at_work(store)
    store.videos.begin(lease, 0)
    store.units.ensure_held(lease)
    late = replace(lease, token=lease.token - 1)
    writes: list[Callable[[], None]] = [
        lambda: store.units.ensure_held(late),
        lambda: store.videos.begin(late, 1),
        lambda: store.videos.forget(late, 0),
        lambda: store.videos.published(late, [uploaded(0)], "http://s3/a/master.m3u8", []),
    ]
    for write in writes:
        with pytest.raises(LeaseLost):
            write()
    assert [store.videos.has_begun(lease, no) for no in (0, 1)] == [True, False]
    assert store.videos.published_of(Service(store).job(job_id).no, [0, 1]) == {}


def test_what_a_cancelled_job_never_published_is_swept_by_one_worker_once_nobody_is_at_work_on_it(store: Store) -> None:
    job_id, lease = at_work(store)
    for no in (0, 1):
        store.videos.begin(lease, no)
    store.videos.published(lease, [uploaded(1)], "http://s3/b/master.m3u8", [])
    assert not store.videos.any_cancelled()
    Service(store).cancel(job_id)
    assert store.videos.to_sweep(BOB, 10) == []
    store.units.release(lease)
    assert store.videos.any_cancelled()
    [(job, no, key)] = store.videos.to_sweep(BOB, 10)
    assert (job.id, no, key) == (job_id, 0, "p/a")
    assert store.videos.to_sweep(ANN, 10) == []
    store.videos.swept(job.no, no)
    assert not store.videos.any_cancelled()
    assert list(store.videos.published_of(job.no, [0, 1])) == [1]
