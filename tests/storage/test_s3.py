"""The control plane against real servers: what is fatal is found at once and told in a sentence."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from s3tui.errors import (
    AccessDenied,
    BucketNotFound,
    Cancelled,
    ConfigError,
    CredentialsError,
    EndpointUnreachable,
    StorageError,
    Throttled,
)
from s3tui.model import Connection
from s3tui.storage.options import AwsOptions, S3Options
from s3tui.storage.s3 import Bucket, open_client, translate
from tests.front import FaultFront
from tests.servers import Store

KEYS = AwsOptions.model_validate({"access_key_id": "KEY", "secret_access_key": "SECRET"})


@pytest.fixture(autouse=True)
def _no_aws_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """boto3's own chain finds nothing but what a test gives it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def _bucket(store: Store) -> Bucket:
    return Bucket(open_client(store.connection, store.aws, max_connections=2), store.bucket)


def test_a_bucket_that_can_be_used_passes(store: Store) -> None:
    _bucket(store).check()


def test_a_missing_bucket_is_fatal(store: Store) -> None:
    with pytest.raises(BucketNotFound, match="s3://nowhere-at-all failed: there is no such bucket") as raised:
        Bucket(store.client(), "nowhere-at-all").check()
    assert raised.value.fatal


def test_a_wrong_secret_is_fatal_and_told_from_a_refused_listing(rclone_store: Store) -> None:
    with pytest.raises(CredentialsError, match="the secret does not belong to the access key") as raised:
        _bucket(rclone_store.with_secret("wrong")).check()
    assert raised.value.fatal


def test_an_unknown_access_key_is_fatal(rclone_store: Store) -> None:
    unknown = AwsOptions.model_validate({"access_key_id": "UNKNOWN", "secret_access_key": "x"})
    client = open_client(rclone_store.connection, unknown, max_connections=2)
    with pytest.raises(CredentialsError, match="does not know the access key"):
        Bucket(client, rclone_store.bucket).check()


def test_no_credentials_at_all_are_fatal(rclone_store: Store) -> None:
    client = open_client(rclone_store.connection, AwsOptions(), max_connections=2)
    with pytest.raises(CredentialsError, match=r"no usable credentials.*AWS_ACCESS_KEY_ID"):
        Bucket(client, rclone_store.bucket).check()


def test_half_a_key_pair_is_refused() -> None:
    with pytest.raises(CredentialsError, match="set both, or neither"):
        open_client(Connection(), AwsOptions(access_key_id="KEY"), max_connections=1)


def test_an_unreachable_endpoint_is_fatal_and_found_fast() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets the port, and nobody answers
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        begun = time.monotonic()
        with pytest.raises(EndpointUnreachable, match=f"nothing answers at {url}") as raised:
            Bucket(open_client(Connection(endpoint_url=url), KEYS, max_connections=1), "bucket").check()
    assert raised.value.fatal
    assert raised.value.retryable
    assert time.monotonic() - begun < 8


def test_a_server_that_speaks_no_tls_is_unreachable_by_https(store: Store) -> None:
    client = open_client(Connection(endpoint_url=store.url.replace("http:", "https:")), KEYS, max_connections=1)
    with pytest.raises(EndpointUnreachable, match="TLS"):
        Bucket(client, store.bucket).check()


def test_a_certificate_that_nobody_vouches_for_is_fatal_and_told(tls_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE")
    with pytest.raises(EndpointUnreachable, match="AWS_CA_BUNDLE") as raised:
        _bucket(tls_store).check()
    assert (raised.value.fatal, raised.value.retryable, raised.value.reason) == (True, False, "tls")


def test_who_may_not_list_may_still_put(store: Store, front: FaultFront) -> None:
    front.fail("HeadBucket", status=403, code="AccessDenied")
    front.fail("ListObjectsV2", status=403, code="AccessDenied")
    _bucket(store.behind(front)).check()
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
    store: Store, front: FaultFront, code: str, status: int, kind: type[StorageError], words: str
) -> None:
    for operation in ("HeadBucket", "ListObjectsV2"):
        front.fail(operation, status=status, code=code, times=9)
    with pytest.raises(kind, match=words) as raised:
        _bucket(store.behind(front)).check()
    assert raised.value.fatal
    assert (raised.value.code, raised.value.status) == (code, status)


def test_a_store_that_is_busy_passes_and_one_in_trouble_is_not_fatal(store: Store, front: FaultFront) -> None:
    front.fail("HeadBucket", status=503, times=99)
    bucket = _bucket(store.behind(front))
    bucket.check()
    front.fail("ListObjectsV2", status=500, code="InternalError", times=99)
    with pytest.raises(StorageError, match="in trouble") as raised:
        list(bucket.list())
    assert not raised.value.fatal
    assert raised.value.retryable


def test_a_listing_has_every_key_in_order_and_survives_a_refused_page(store: Store, front: FaultFront) -> None:
    keys = ["a b", "a+b", "a%2Fb", "a&b", "a-b/x", "a.txt", "a/b/c", "aa", "q?x#y", "é", "\x1b[1m", "😀"]
    client = store.client()
    for key in [*(f"deep/{key}" for key in keys), "other/x"]:
        client.put_object(Bucket=store.bucket, Key=key, Body=b"hello")
    front.fail("ListObjectsV2", status=503)
    listed = list(_bucket(store.behind(front)).list("deep/"))
    assert [entry.key for entry in listed] == sorted(f"deep/{key}" for key in keys)
    assert {(entry.size, entry.etag) for entry in listed} == {(5, "5d41402abc4b2a76b9719d911017c592")}
    assert all(abs(entry.modified_ms / 1000 - time.time()) < 300 for entry in listed)


def test_a_listing_goes_on_over_pages(rclone_store: Store, front: FaultFront) -> None:
    assert rclone_store.directory is not None
    for number in range(1003):
        (rclone_store.directory / rclone_store.bucket / f"{number:04}").touch()
    assert [entry.key for entry in _bucket(rclone_store).list()] == [f"{number:04}" for number in range(1003)]


@pytest.mark.parametrize(
    ("code", "status", "kind", "retryable", "reason"),
    [
        ("SlowDown", 503, Throttled, True, "throttled"),
        ("TooManyRequests", 429, Throttled, True, "throttled"),
        ("InternalError", 500, StorageError, True, "server_error"),
        ("Weird", 502, StorageError, True, "server_error"),
        ("RequestTimeout", 400, StorageError, True, "timeout"),
        ("BadDigest", 400, StorageError, True, "bad_digest"),
        ("ConditionalRequestConflict", 409, StorageError, True, "conflict"),
        ("AccessDenied", 403, AccessDenied, False, "access_denied"),
        ("InvalidStorageClass", 400, StorageError, False, "refused"),
    ],
)
def test_answers_are_translated_once(
    store: Store, front: FaultFront, code: str, status: int, kind: type[StorageError], retryable: bool, reason: str
) -> None:
    front.fail("PutObject", status=status, code=code)
    client = open_client(store.behind(front).connection, store.aws, max_connections=1)
    with (
        pytest.raises(kind, match=f"^PutObject s3://b/k from /a.x1b failed: .*{status} {code}") as raised,
        translate("PutObject", "s3://b/k", b"/a\x1b"),
    ):
        client.put_object(Bucket=store.bucket, Key="k", Body=b"x")
    assert (raised.value.retryable, raised.value.reason, raised.value.fatal) == (retryable, reason, False)


def test_a_broken_connection_can_be_retried(store: Store, front: FaultFront) -> None:
    front.reset("PutObject")
    client = open_client(store.behind(front).connection, store.aws, max_connections=1)
    with pytest.raises(StorageError, match="connection broke off") as raised, translate("PutObject", "s3://b/k"):
        client.put_object(Bucket=store.bucket, Key="k", Body=b"x")
    assert raised.value.retryable


def test_our_own_errors_pass_through_botocore_as_they_are(store: Store) -> None:
    class Body:
        def __init__(self) -> None:
            self.contents = [b"12345", b""]  # read once, to be signed

        def read(self, amount: int = -1) -> bytes:
            if not self.contents:
                raise Cancelled("Stop.")
            return self.contents.pop(0)

        def seek(self, position: int, whence: int = 0) -> int:
            return 0

        def tell(self) -> int:
            return 0

    with pytest.raises(Cancelled, match="Stop"), translate("PutObject", "s3://b/k"):
        store.client().put_object(Bucket=store.bucket, Key="k", Body=Body(), ContentLength=5)


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    """The AWS config file, with one profile."""
    path = tmp_path / "config"
    path.write_text(
        "[profile mine]\nregion = eu-west-3\naws_access_key_id = PROFILE\naws_secret_access_key = x\nendpoint_url = http://127.0.0.1:1\n"
    )
    return path


@pytest.mark.usefixtures("config_file")
def test_a_connection_wins_over_settings_and_settings_over_the_sdks_own_chain() -> None:
    profile = open_client(Connection(profile="mine"), KEYS, max_connections=1)
    assert (profile.meta.region_name, profile._request_signer._credentials.access_key) == ("eu-west-3", "PROFILE")
    assert profile.meta.endpoint_url == "http://127.0.0.1:1"
    assert profile.meta.config.s3["payload_signing_enabled"]
    keys = open_client(Connection(region="eu-north-1"), KEYS, max_connections=1)
    assert (keys.meta.region_name, keys._request_signer._credentials.access_key) == ("eu-north-1", "KEY")
    assert keys.meta.config.s3["payload_signing_enabled"] is False
    settings = AwsOptions.model_validate({"profile": "mine", "region": "us-west-2", "endpoint_url": "https://s3.example"})
    both = open_client(Connection(endpoint_url="https://other.example"), settings, max_connections=1)
    assert (both.meta.region_name, both.meta.endpoint_url) == ("us-west-2", "https://other.example")
    assert open_client(Connection(), KEYS, max_connections=1).meta.region_name == "us-east-1"


def test_a_profile_that_does_not_exist_is_a_sentence() -> None:
    with pytest.raises(ConfigError, match=r"No connection to S3 .*nobody.* Check the profile"):
        open_client(Connection(profile="nobody"), AwsOptions(), max_connections=1)


def test_an_endpoint_that_is_no_url_is_a_sentence() -> None:
    with pytest.raises(ConfigError, match="No connection to S3"):
        open_client(Connection(endpoint_url="not a url"), KEYS, max_connections=1)


def test_empty_keys_of_the_configuration_are_not_set() -> None:
    aws = AwsOptions.model_validate({"access_key_id": None, "region": "", "session_token": None})
    assert (aws.access_key_id, aws.region, aws.model_fields_set) == ("", "us-east-1", set())
    s3 = S3Options.model_validate({"bucket_name": None, "sse": "", "prefix": None})
    assert (s3.bucket_name, s3.sse, s3.prefix, s3.addressing_style) == ("", "", "", "auto")
    assert S3Options().prefix == "backups/"


def test_an_unknown_key_is_an_error_even_when_it_is_empty() -> None:
    with pytest.raises(ValueError, match="regoin"):
        AwsOptions.model_validate({"regoin": None})


def test_the_identity_tells_keys_apart_and_does_not_tell_them() -> None:
    assert AwsOptions().identity == ""
    assert len(KEYS.identity) == 16
    assert KEYS.identity != AwsOptions(access_key_id="OTHER").identity
    assert "SECRET" not in repr(KEYS)
