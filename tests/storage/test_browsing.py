"""Buckets and prefixes, listed by a process of its own: what a person can choose as a target."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from s3tui.errors import StorageError
from s3tui.model import Connection
from s3tui.storage.browsing import TargetLister
from tests.front import FaultFront
from tests.servers import SECRET_KEY, Store
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=5)


@pytest.fixture
def lister(store: Store) -> Iterator[TargetLister]:
    """A lister of one of the stores, with its credentials."""
    lister = TargetLister(store.connection, store.aws)
    yield lister
    lister.close()


def put(store: Store, *keys: str) -> None:
    for key in keys:
        store.client().put_object(Bucket=store.bucket, Key=key, Body=b"x")


def children() -> list[Path]:
    """The listing processes of this one."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words, status = (path / "cmdline").read_bytes(), (path / "stat").read_text()
        except OSError:
            continue
        if b"s3tui.storage.browsing" in words and status.rpartition(")")[2].split()[1] == str(os.getpid()):
            found.append(path)
    return found


def test_buckets_then_prefixes_are_listed(lister: TargetLister, store: Store) -> None:
    put(store, "a/b/c", "a/d", "e f/g", "top")
    assert store.bucket in lister.page("", "").names
    assert lister.page(store.bucket, "") == (("a/", "e f/"), 1, "")
    assert lister.page(store.bucket, "a/") == (("a/b/",), 1, "")
    assert lister.page(store.bucket, "nothing/") == ((), 0, "")


def test_hostile_prefixes_come_whole(lister: TargetLister, store: Store) -> None:
    if store.name == "rclone":
        pytest.skip("rclone has no such names")
    hostile = ("a\x1b[2J/", "b[red]/", "c\u202egpj/", "e%2Ff/")
    put(store, *(prefix + "x" for prefix in hostile))
    assert set(lister.page(store.bucket, "").names) == set(hostile)
    assert lister.page(store.bucket, hostile[1]).objects == 1


def test_a_long_list_comes_in_pages(moto_store: Store) -> None:
    client = moto_store.client()
    for number in range(1003):
        client.put_object(Bucket=moto_store.bucket, Key=f"{number:04}/x", Body=b"")
    lister = TargetLister(moto_store.connection, moto_store.aws)
    first = lister.page(moto_store.bucket, "")
    last = lister.page(moto_store.bucket, "", first.token)
    lister.close()
    assert (len(first.names), bool(first.token), last.token) == (1000, True, "")
    assert [*first.names, *last.names] == [f"{number:04}/" for number in range(1003)]


def test_what_goes_wrong_is_a_sentence_and_the_next_question_is_answered(rclone_store: Store) -> None:
    lister = TargetLister(rclone_store.connection, rclone_store.aws)
    with pytest.raises(StorageError, match="there is no such bucket") as raised:
        lister.page("nowhere-at-all", "")
    assert raised.value.reason == "no_such_bucket"
    assert rclone_store.bucket in lister.page("", "").names
    lister.close()


def test_who_may_not_list_all_buckets_is_told(moto_store: Store) -> None:
    with FaultFront(moto_store.url) as front:
        front.fail("ListObjectsV2", "^$", status=403, code="AccessDenied")
        lister = TargetLister(moto_store.behind(front).connection, moto_store.aws)
        with pytest.raises(StorageError) as raised:
            lister.page("", "")
        lister.close()
    assert raised.value.reason == "access_denied"


def test_without_credentials_it_says_so(moto_store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    lister = TargetLister(moto_store.connection, moto_store.aws.model_copy(update={"access_key_id": ""}))
    with pytest.raises(StorageError, match=r"are not set|no usable credentials|is not:"):
        lister.page("", "")
    lister.close()


def test_the_process_starts_late_tells_no_secret_and_ends_with_the_lister(rclone_store: Store) -> None:
    lister = TargetLister(rclone_store.connection, rclone_store.aws)
    assert children() == []
    lister.page("", "")
    [process] = children()
    told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    assert SECRET_KEY.encode() not in told
    lister.close()
    assert children() == []
    with pytest.raises(StorageError):
        lister.page("", "")


def test_closing_breaks_a_question_off_and_a_killed_process_is_started_again(moto_store: Store) -> None:
    with FaultFront(moto_store.url) as front:
        lister = TargetLister(moto_store.behind(front).connection, moto_store.aws)
        lister.page("", "")
        os.kill(int(children()[0].name), 9)
        with pytest.raises(StorageError, match="has ended"):
            lister.page("", "")
        assert moto_store.bucket in lister.page("", "").names
        gate = front.hold("ListObjectsV2", "^$")
        failures: list[Exception] = []

        def ask() -> None:
            try:
                lister.page("", "")
            except StorageError as error:
                failures.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        wait_until(gate.arrived.is_set, 20, "the question to reach the store")
        lister.close()
        thread.join(10)
        assert len(failures) == 1


def test_the_connection_of_the_settings_is_used() -> None:
    lister = TargetLister(Connection(endpoint_url="http://127.0.0.1:1"), Store("none", "").aws)
    with pytest.raises(StorageError, match=r"127\.0\.0\.1:1"):
        lister.page("", "")
    lister.close()
