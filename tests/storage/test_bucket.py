"""`Api` and the bucket above it, by every implementation on every server: what is fatal is found at once and told in a sentence."""

from __future__ import annotations

import socket
import time
from dataclasses import replace

import pytest

from s3tui.errors import (
    BucketNotFound,
    CredentialsError,
    EndpointUnreachable,
    StorageError,
)
from s3tui.model import Connection
from s3tui.storage.bucket import Bucket
from s3tui.storage.options import AwsOptions
from tests.front import FaultFront
from tests.servers import Store
from tests.storage.conftest import KEYS, BucketOn, OpenApi

pytestmark = pytest.mark.thorough(one_in=5)


def test_a_bucket_that_can_be_used_passes(bucket_on: BucketOn, store: Store) -> None:
    bucket_on(store).check()


def test_a_missing_bucket_is_fatal(bucket_on: BucketOn, store: Store) -> None:
    with pytest.raises(BucketNotFound, match="s3://nowhere-at-all failed: there is no such bucket") as raised:
        bucket_on(replace(store, bucket="nowhere-at-all")).check()
    assert raised.value.fatal


def test_a_wrong_secret_is_fatal_and_told_from_a_refused_listing(bucket_on: BucketOn, rclone_store: Store) -> None:
    with pytest.raises(CredentialsError, match="the secret does not belong to the access key") as raised:
        bucket_on(rclone_store.with_secret("wrong")).check()
    assert raised.value.fatal


def test_an_unknown_access_key_is_fatal(open_api: OpenApi, rclone_store: Store) -> None:
    unknown = AwsOptions.model_validate({"access_key_id": "UNKNOWN", "secret_access_key": "x"})
    with pytest.raises(CredentialsError, match="does not know the access key"):
        Bucket(open_api(rclone_store.connection, unknown), rclone_store.bucket).check()


def test_an_unreachable_endpoint_is_fatal_and_found_fast(
    open_api: OpenApi,
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets the port, and nobody answers
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        begun = time.monotonic()
        with pytest.raises(EndpointUnreachable, match=f"nothing answers at {url}") as raised:
            Bucket(open_api(Connection(endpoint_url=url), KEYS), "bucket").check()
    assert raised.value.fatal
    assert raised.value.retryable
    assert time.monotonic() - begun < 8


def test_a_server_that_speaks_no_tls_is_unreachable_by_https(open_api: OpenApi, store: Store) -> None:
    api = open_api(Connection(endpoint_url=store.url.replace("http:", "https:")), KEYS)
    with pytest.raises(EndpointUnreachable, match="TLS"):
        Bucket(api, store.bucket).check()


def test_a_certificate_that_nobody_vouches_for_is_fatal_and_told(
    bucket_on: BucketOn, tls_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE")
    with pytest.raises(EndpointUnreachable, match="AWS_CA_BUNDLE") as raised:
        bucket_on(tls_store).check()
    assert (raised.value.fatal, raised.value.retryable, raised.value.reason) == (True, False, "tls")


def test_who_may_not_list_may_still_put(bucket_on: BucketOn, store: Store, front: FaultFront) -> None:
    front.fail("HeadBucket", status=403, code="AccessDenied")
    front.fail("ListObjectsV2", status=403, code="AccessDenied")
    bucket_on(store.behind(front)).check()
    assert front.count("ListObjectsV2") == 1


@pytest.mark.parametrize(
    ("code", "status", "kind", "words"),
    [
        ("ExpiredToken", 400, CredentialsError, "have expired"),
        ("InvalidToken", 400, CredentialsError, "session token"),
        ("RequestTimeTooSkewed", 403, StorageError, "Set the clock"),
        ("AuthorizationHeaderMalformed", 400, StorageError, "another region"),
    ],
)
def test_what_would_fail_every_file_is_fatal(
    bucket_on: BucketOn,
    store: Store,
    front: FaultFront,
    code: str,
    status: int,
    kind: type[StorageError],
    words: str,
) -> None:
    for operation in ("HeadBucket", "ListObjectsV2"):
        front.fail(operation, status=status, code=code, times=9)
    with pytest.raises(kind, match=words) as raised:
        bucket_on(store.behind(front)).check()
    assert raised.value.fatal
    assert (raised.value.code, raised.value.status) == (code, status)


def test_a_store_that_is_busy_passes_and_one_in_trouble_is_not_fatal(bucket_on: BucketOn, store: Store, front: FaultFront) -> None:
    front.fail("HeadBucket", status=503, times=99)
    bucket = bucket_on(store.behind(front))
    bucket.check()
    front.fail("ListObjectsV2", status=500, code="InternalError", times=99)
    with pytest.raises(StorageError, match="in trouble") as raised:
        list(bucket.list())
    assert not raised.value.fatal
    assert raised.value.retryable


def test_a_listing_has_every_key_in_order_and_survives_a_refused_page(bucket_on: BucketOn, store: Store, front: FaultFront) -> None:
    keys = ["a b", "a+b", "a%2Fb", "a&b", "a-b/x", "a.txt", "a/b/c", "aa", "q?x#y", "é", "\x1b[1m", "😀"]
    client = store.client()
    for key in [*(f"deep/{key}" for key in keys), "other/x"]:
        client.put_object(Bucket=store.bucket, Key=key, Body=b"hello")
    front.fail("ListObjectsV2", status=503)
    listed = list(bucket_on(store.behind(front)).list("deep/"))
    assert [entry.key for entry in listed] == sorted(f"deep/{key}" for key in keys)
    assert {(entry.size, entry.etag) for entry in listed} == {(5, "5d41402abc4b2a76b9719d911017c592")}
    assert all(abs(entry.modified_ms / 1000 - time.time()) < 300 for entry in listed)


@pytest.mark.parametrize("patience", [0.5])
def test_a_page_whose_answer_never_comes_is_asked_for_once_more(
    bucket_on: BucketOn, store: Store, front: FaultFront, patience: float
) -> None:
    store.client().put_object(Bucket=store.bucket, Key="here", Body=b"hello")
    bucket = bucket_on(store.behind(front))
    silent = front.hold_answer("ListObjectsV2", seconds=300)
    assert [entry.key for entry in bucket.list()] == ["here"]
    silent.open()
    silent_again = front.hold_answer("ListObjectsV2", times=9, seconds=300)
    with pytest.raises(StorageError) as raised:
        list(bucket.list())
    silent_again.open()
    assert raised.value.reason == "timeout"
    assert front.count("ListObjectsV2") == 4


def test_a_listing_goes_on_over_pages(bucket_on: BucketOn, rclone_store: Store, front: FaultFront) -> None:
    assert rclone_store.directory is not None
    for number in range(1003):
        (rclone_store.directory / rclone_store.bucket / f"{number:04}").touch()
    assert [entry.key for entry in bucket_on(rclone_store).list()] == [f"{number:04}" for number in range(1003)]
