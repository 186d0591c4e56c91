"""The AWS SDK: settings to clients, its exceptions to our errors."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from s3tui.errors import (
    AccessDenied,
    Cancelled,
    ConfigError,
    CredentialsError,
    StorageError,
    Throttled,
)
from s3tui.model import Connection
from s3tui.storage.bucket import Bucket
from s3tui.storage.failures import translate
from s3tui.storage.options import AwsOptions, S3Options
from s3tui.storage.sdk import SdkApi, open_client
from tests.front import FaultFront
from tests.servers import Store

KEYS = AwsOptions.model_validate({"access_key_id": "KEY", "secret_access_key": "SECRET"})


@pytest.fixture(autouse=True)
def _no_aws_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The SDK's own chain finds nothing but what a test gives it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def test_no_credentials_at_all_are_fatal(rclone_store: Store) -> None:
    client = open_client(rclone_store.connection, AwsOptions(), max_connections=2)
    with pytest.raises(CredentialsError, match=r"no usable credentials.*AWS_ACCESS_KEY_ID"):
        Bucket(SdkApi(client), rclone_store.bucket).check()


def test_half_a_key_pair_is_refused() -> None:
    with pytest.raises(CredentialsError, match="set both, or neither"):
        open_client(Connection(), AwsOptions(access_key_id="KEY"), max_connections=1)


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
    with pytest.raises(ConfigError, match=r"no profile 'nobody'.*--profile"):
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
