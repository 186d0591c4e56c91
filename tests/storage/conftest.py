"""Fixtures: both ways to ask a store, with no settings of the AWS SDK but what a test gives."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from s3tui.model import Connection
from s3tui.storage.api import Api
from s3tui.storage.bucket import Bucket
from s3tui.storage.keys import FixedKeys, Keys
from s3tui.storage.options import AwsOptions
from s3tui.storage.sdk import SdkApi, open_client
from s3tui.storage.site import plain_site
from s3tui.transfer.wire.api import WireApi
from s3tui.transfer.wire.office import Office
from s3tui.transfer.wire.orders import Conduct
from tests.servers import Store

KEYS = AwsOptions.model_validate({"access_key_id": "KEY", "secret_access_key": "SECRET"})

OpenApi = Callable[[Connection, AwsOptions], Api]
BucketOn = Callable[[Store], Bucket]


@pytest.fixture(autouse=True)
def _no_aws_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The SDK's own chain finds nothing but what a test gives it."""
    for name in [name for name in os.environ if name.startswith("AWS_") and name != "AWS_CA_BUNDLE"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


@pytest.fixture
def patience() -> float:
    """How many seconds an answer is waited for; a test may say otherwise."""
    return 30


@pytest.fixture(params=["sdk", "wire"])
def open_api(request: pytest.FixtureRequest, patience: float) -> Iterator[OpenApi]:
    """Opens each implementation of `Api` in turn."""
    opened: list[Office] = []

    def on_sdk(connection: Connection, aws: AwsOptions) -> Api:
        return SdkApi(open_client(connection, aws, max_connections=2, read_timeout=patience))

    def on_wire(connection: Connection, aws: AwsOptions) -> Api:
        site = plain_site(connection, aws)
        assert site is not None
        keys = FixedKeys(Keys(aws.access_key_id, aws.secret_access_key.get_secret_value()))
        opened.append(Office(site, keys, Conduct(()), patience=patience))
        return WireApi(opened[-1])

    yield {"sdk": on_sdk, "wire": on_wire}[request.param]
    for office in opened:
        office.close()


@pytest.fixture
def bucket_on(open_api: OpenApi) -> BucketOn:
    """The bucket of a store, by each implementation."""
    return lambda store: Bucket(open_api(store.connection, store.aws), store.bucket)
