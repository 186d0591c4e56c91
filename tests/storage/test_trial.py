"""Trying rights: each is told apart, and nothing that was made for it stays."""

from __future__ import annotations

import pytest

from s3tui.errors import AccessDenied
from s3tui.model import ObjectRef
from s3tui.storage.trial import Trial
from tests.front import FaultFront
from tests.scripted import Call, ScriptedServer
from tests.servers import Store

pytestmark = pytest.mark.thorough(one_in=5)

READING = ("ListObjectsV2", "ListMultipartUploads")
WRITING = ("PutObject", "HeadObject", "GetObject", "CreateMultipartUpload", "ListParts", "DeleteObject", "AbortMultipartUpload")


def trial_of(store: Store) -> Trial:
    """All of it, below `p/`."""
    trial = Trial(store.connection, store.aws, ObjectRef(store.bucket, "p/"))
    trial.look()
    trial.write(ObjectRef(store.bucket, "p/probe"), {})
    return trial


def test_on_every_store_everything_is_tried_and_nothing_stays(store: Store) -> None:
    trial = trial_of(store)
    assert trial.outcomes == dict.fromkeys((*READING, *WRITING))
    assert not trial.leaves
    assert store.contents() == {}
    assert store.open_uploads() == []


def test_a_look_changes_nothing(store: Store, front: FaultFront) -> None:
    trial = Trial(store.behind(front).connection, store.aws, ObjectRef(store.bucket, "p/"))
    trial.look()
    assert {operation for operation, _ in front.requests} == set(READING)


def test_of_a_bucket_with_versions_no_version_stays(moto_store: Store) -> None:
    client = moto_store.client()
    client.put_bucket_versioning(Bucket=moto_store.bucket, VersioningConfiguration={"Status": "Enabled"})
    assert not trial_of(moto_store).leaves
    left = client.list_object_versions(Bucket=moto_store.bucket)
    assert "Versions" not in left
    assert "DeleteMarkers" not in left


@pytest.mark.parametrize("operation", [*READING, *WRITING])
def test_a_right_that_is_missing_is_named_and_what_can_be_is_removed(store: Store, front: FaultFront, operation: str) -> None:
    front.fail(operation, status=403, code="AccessDenied", times=9)
    trial = trial_of(store.behind(front))
    refused = {name: error for name, error in trial.outcomes.items() if error is not None}
    assert list(refused) == [operation]
    assert isinstance(refused[operation], AccessDenied)
    assert "Allow these credentials s3:" in str(refused[operation])
    assert trial.leaves == (operation in ("DeleteObject", "AbortMultipartUpload"))
    assert set(store.contents()) == ({"p/probe"} if operation == "DeleteObject" else set())
    assert store.open_uploads() == (["p/probe"] if operation == "AbortMultipartUpload" else [])


@pytest.mark.parametrize("operation", ["PutObject", "HeadObject", "GetObject", "CreateMultipartUpload", "ListParts"])
def test_an_answer_that_is_lost_leaves_nothing_behind(store: Store, front: FaultFront, operation: str) -> None:
    front.lose_answer(operation)
    trial = trial_of(store.behind(front))
    assert trial.outcomes[operation] is not None
    assert not trial.leaves
    assert store.contents() == {}
    assert store.open_uploads() == []


def test_bytes_that_come_back_changed_are_told() -> None:
    def change(call: Call) -> None:
        call.read_body()
        call.answer(body=b"other" if call.method == "GET" else b"")

    with ScriptedServer(change) as server:
        trial = trial_of(Store("scripted", server.url, "bucket"))
        assert "other bytes than it was sent" in str(trial.outcomes["GetObject"])
        assert "named no upload" in str(trial.outcomes["CreateMultipartUpload"])
        assert [call.key for call in server.calls if call.method == "DELETE"] == ["p/probe"]
