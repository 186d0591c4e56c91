"""Objects as the store shows them, by each way to ask for them."""

from __future__ import annotations

import pytest

from s3tui.errors import StorageError
from s3tui.model import ObjectRef
from tests.front import FaultFront
from tests.proof.mangling import torn
from tests.servers import Store
from tests.storage.conftest import OpenApi


def test_a_range_has_the_bytes_that_there_are(open_api: OpenApi, store: Store) -> None:
    api, target = open_api(store.connection, store.aws), ObjectRef(store.bucket, "a key/ü+%")
    store.client().put_object(Bucket=store.bucket, Key=target.key, Body=b"0123456789")
    assert api.get_range(target, 0, 10) == b"0123456789"
    assert api.get_range(target, 3, 4) == b"3456"
    assert api.get_range(target, 8, 100) == b"89"


def test_what_is_not_there_has_no_range_and_no_head(open_api: OpenApi, store: Store) -> None:
    api, target = open_api(store.connection, store.aws), ObjectRef(store.bucket, "missing")
    for look in (lambda: api.get_range(target, 0, 10), lambda: api.head_object(target)):
        with pytest.raises(StorageError) as raised:
            look()
        assert raised.value.status == 404


def test_where_no_upload_is_open_none_is_listed(open_api: OpenApi, store: Store) -> None:
    api, target = open_api(store.connection, store.aws), ObjectRef(store.bucket, "key")
    assert list(api.list_multipart_uploads(store.bucket, target.key)) == []
    upload_id = api.create_multipart_upload(target, {}, "")
    assert [(one.key, one.upload_id) for one in api.list_multipart_uploads(store.bucket, target.key)] == [(target.key, upload_id)]
    api.abort_multipart_upload(target, upload_id)


def test_a_head_that_breaks_off_may_be_asked_for_again(open_api: OpenApi, rclone_store: Store) -> None:
    rclone_store.client().put_object(Bucket=rclone_store.bucket, Key="key", Body=b"0123456789")
    with FaultFront(rclone_store.url) as front:
        api = open_api(rclone_store.behind(front).connection, rclone_store.aws)
        front.mangle("HeadObject", torn)
        with pytest.raises(StorageError) as raised:
            api.head_object(ObjectRef(rclone_store.bucket, "key"))
        assert raised.value.retryable
        assert api.head_object(ObjectRef(rclone_store.bucket, "key")).size == 10
