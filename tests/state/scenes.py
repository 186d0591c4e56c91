"""Small stories that the state tests begin with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from s3tui.events import Fact, Planned, Uploaded
from s3tui.model import FileState, Fingerprint, Job, Lease, Receipt, UnitKind, new_id, now_ms
from s3tui.state.jobs import NewJob
from s3tui.state.store import Store
from s3tui.state.transfers import write_facts
from s3tui.state.units import Claimant

ANN = Claimant("ann", "", ("upload",), home_only=False)
BOB = Claimant("bob", "", ("upload",), home_only=False)


def new_job(
    store: Store, *, dry_run: bool = False, home: str | None = None, identity: str = "", spec_hash: str = "h", place: str = ""
) -> Job:
    """A job whose plan waits to be made."""
    new = NewJob(new_id(), "upload", "upload", "{}", spec_hash, dry_run, 100, home, identity, now_ms(), place=place)
    store.jobs.create(new)
    return store.jobs.find(new.id)[0]


def register(store: Store, *claimants: Claimant, pid: int = 1) -> None:
    """Workers begin; pid 1 always exists."""
    for claimant in claimants:
        store.workers.register(claimant, pid=pid, version="0")


def claim(store: Store, claimant: Claimant = ANN) -> Lease:
    """The next unit, which must exist."""
    claimed = store.units.claim(claimant)
    assert claimed is not None
    return claimed[0]


def planned(name: str, size: int = 10, state: FileState = FileState.PLANNED, reason: str | None = None) -> Planned:
    """An entry of a scan."""
    error = "It cannot be sent." if state is FileState.FAILED else None
    key = f"p/{name}" if name.isprintable() else None
    return Planned(0, name.encode("utf-8", "surrogateescape"), key, Fingerprint(size, 1, 2), state, reason, error)


def plan(store: Store, shards: Iterable[list[Planned]], *, hold: bool = False, claimant: Claimant = ANN) -> None:
    """Claim the plan unit and write these shards."""
    lease = claim(store, claimant)
    assert lease.kind is UnitKind.PLAN
    for shard in shards:
        store.planning.add(lease, shard, hold=hold)
    store.planning.finish(lease)


def uploaded(number: int, size: int = 10, attempts: int = 1) -> Uploaded:
    """The fact that a file was stored."""
    return Uploaded(number, attempts, Receipt(size, "crc64nvme:AAAAAAAAAAA=", '"e"'))


def carry(store: Store, lease: Lease, facts: Sequence[Fact]) -> None:
    """Write these facts of a unit and finish it."""
    with store.database.write() as connection:
        write_facts(connection, lease, facts)
    store.units.finish(lease)


def carry_all(store: Store, lease: Lease) -> None:
    """Store everything of a unit and finish it."""
    carry(store, lease, [uploaded(number) for _source, _path, number, *_rest in store.transfers.to_carry(lease)])
