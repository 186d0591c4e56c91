"""Dropping what cancelled jobs left open, on a store that does not let go of it."""

from __future__ import annotations

from pathlib import Path

from s3tui.errors import StorageError
from s3tui.events import UploadIntended, UploadOpened
from s3tui.jobs.sweep import sweep
from s3tui.jobs.upload import UploadSpec
from s3tui.model import Fingerprint, ObjectRef
from s3tui.service import Service
from s3tui.state.store import Store
from s3tui.state.transfers import write_facts
from tests.engines import DirectoryApi, DirectoryResources
from tests.state.scenes import ANN, claim, plan, planned, register


class DeafApi(DirectoryApi):
    """It answers so late, and with trouble, that others have been given the upload meanwhile."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self.asked = 0

    def abort_multipart_upload(self, target: ObjectRef, upload_id: str) -> None:
        """See `Api`."""
        self.asked += 1
        assert self.asked < 100, "it is asked for ever"
        with self._store.database.write() as connection:
            connection.execute("UPDATE multipart SET swept_until = 1")
        raise StorageError("It is in trouble.", status=500)


def test_a_store_that_is_slower_than_a_sweep_may_be_is_asked_once_for_each_upload(state_store: Store, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    service = Service(state_store)
    job = service.job(service.submit(UploadSpec((str(tmp_path / "source"),), "s3://bucket/"), concurrency=1).job_id)
    register(state_store, ANN)
    plan(state_store, [[planned("a"), planned("b")]])
    lease = claim(state_store)
    with state_store.database.write() as connection:
        for no in range(2):
            intended = UploadIntended(no, ObjectRef("bucket", f"p/{no}"), 8 << 20, Fingerprint(10, 1, 2), "crc32")
            write_facts(connection, lease, [intended, UploadOpened(no, f"upload {no}")])
    state_store.units.release(lease)
    service.cancel(job.id)
    resources = DirectoryResources(tmp_path / "stored")
    resources.directory_api = api = DeafApi(state_store)
    swept = sweep(state_store, resources, ANN)
    assert (swept.gone, list(swept.errors), api.asked) == (0, [job.id], 2)
