"""Plans that are compared with their target, on every database."""

from __future__ import annotations

import random

from s3tui.events import Compared
from s3tui.model import Action, FileState
from s3tui.state.store import Store
from tests.state.scenes import ANN, claim, new_job, planned, register

EXCLUDED = planned("left out", state=FileState.SKIPPED, reason="excluded")


def test_the_order_of_one_source_needs_no_sorting(store: Store) -> None:
    register(store, ANN)
    new_job(store)
    lease = claim(store)
    names = sorted((f"{number:x}-é" for number in range(2500)), key=str.encode)
    for start in range(0, 2500, 1000):
        nameless = planned("\x00", state=FileState.FAILED, reason="name_not_utf8")
        store.planning.add(lease, [nameless, *map(planned, names[start : start + 1000])], hold=True)
    by_key = list(store.planning.by_key(lease))
    assert [row[1] for row in by_key] == [f"p/{name}" for name in names]
    assert list(store.planning.by_key(lease, numbered_by_key=True)) == by_key


def test_only_what_was_compared_becomes_new(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    lease = claim(store)
    store.planning.add(lease, [planned("a"), planned("b"), EXCLUDED, planned("d"), planned("e"), planned("f")], hold=True)
    store.planning.compared(lease, [Compared(no, Action.NEW) for no in (5, 0, 1, 3)])
    store.planning.compared(lease, [Compared(2, Action.NEW)])
    actions = [row.action for row in store.transfers.window(job.no, 0, 9)]
    assert actions == [Action.NEW, Action.NEW, Action.SKIP, Action.NEW, Action.UPLOAD, Action.NEW]


def test_pages_in_any_order_leave_every_file_with_its_own_action(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    lease = claim(store)
    store.planning.add(lease, [planned(f"{number:03}") for number in range(500)], hold=True)
    luck = random.Random(7)
    facts = [Compared(no, luck.choice((Action.NEW, Action.NEW, Action.OVERWRITE, Action.SKIP)), "exists") for no in range(500)]
    shuffled = luck.sample(facts, len(facts))
    for start in range(0, 500, 50):
        store.planning.compared(lease, shuffled[start : start + 50])
    rows = store.transfers.window(job.no, 0, 500)
    assert [row.action for row in rows] == [fact.action for fact in facts]
    skipped = sum(fact.action is Action.SKIP for fact in facts)
    totals = store.jobs.by_no(job.no).totals
    assert (totals.skipped, totals.bytes_found) == (skipped, 10 * (500 - skipped))


def test_a_comparison_that_begins_anew_overrules_all_but_refusals(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    lease = claim(store)
    store.planning.add(lease, [planned("a"), planned("b"), planned("c")], hold=True)
    store.planning.compared(lease, [Compared(0, Action.OVERWRITE), Compared(1, Action.NEW), Compared(2, Action.SKIP, "exists")])
    assert [row[0] for row in store.planning.by_key(lease, numbered_by_key=True)] == [0, 1, 2]
    store.planning.compared(lease, [Compared(0, Action.NEW), Compared(1, Action.OVERWRITE), Compared(2, Action.NEW)])
    assert [row.action for row in store.transfers.window(job.no, 0, 9)] == [Action.NEW, Action.OVERWRITE, Action.SKIP]
    assert store.jobs.by_no(job.no).totals.skipped == 1
