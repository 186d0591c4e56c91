"""Which engine carries a job: our own wherever it can, else botocore's client, and the reason is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from s3tui.errors import ConfigError, CredentialsError
from s3tui.model import Connection
from s3tui.state.store import Store as State
from s3tui.storage.options import AwsOptions
from s3tui.transfer.route import Route, kind_of, open_route
from tests.servers import Store

OpenRoute = Callable[..., Route]

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
KEYS = AwsOptions.model_validate({"access_key_id": "KEY", "secret_access_key": "SECRET"})


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (*PROXIES, "AWS_PROFILE", "AWS_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def open_on(tmp_path: Path) -> Iterator[OpenRoute]:
    """Opens a route to `bucket` at an endpoint."""
    state = State("sqlite", tmp_path / "state")
    opened: list[Route] = []

    def open_one(
        endpoint: str = "http://127.0.0.1:9",
        bucket: str = "bucket",
        *,
        choice: str = "auto",
        region: str = "",
        aws: AwsOptions = KEYS,
    ) -> Route:
        connection = Connection(endpoint_url=endpoint, region=region)
        opened.append(open_route(connection, aws, bucket, choice=choice, concurrency=2, profiles=state.profiles))
        return opened[-1]

    yield open_one
    for route in opened:
        route.engine.close()
    state.close()


@pytest.mark.parametrize(
    ("endpoint", "region"), [("http://127.0.0.1:9", ""), ("https://s3.example.com", ""), ("", "eu-west-3"), ("", "cn-north-1")]
)
def test_ordinary_stores_are_served_by_our_own_engine(open_on: OpenRoute, endpoint: str, region: str) -> None:
    route = open_on(endpoint, region=region)
    assert (route.name, route.reason) == ("wire", "")


@pytest.mark.parametrize(
    ("bucket", "reason"),
    [
        ("data--usw2-az1--x-s3", "S3 Express"),
        ("arn:aws:s3:eu-west-1:123456789012:accesspoint/ours", "ARN"),
        ("mfzwi23gnjvgw.mrap", "4A"),
    ],
)
def test_buckets_of_their_own_kind_fall_back_and_say_why(open_on: OpenRoute, bucket: str, reason: str) -> None:
    assert reason in kind_of(bucket)
    route = open_on("", bucket)
    assert route.name == "s3transfer"
    assert reason in route.reason
    with pytest.raises(ConfigError, match=f"transfer.engine is wire, and that cannot be: .*{reason}"):
        open_on("", bucket, choice="wire")


@pytest.mark.parametrize(
    ("environment", "proxied"),
    [
        ({"https_proxy": "http://user:password@proxy.example.com:3128"}, True),
        ({"HTTPS_PROXY": "proxy.example.com:3128"}, True),
        ({"all_proxy": "socks5://proxy.example.com"}, True),
        ({"http_proxy": "http://proxy.example.com"}, False),  # for other schemes
        ({"https_proxy": "http://proxy.example.com", "no_proxy": "example.com"}, False),
        ({"https_proxy": "http://proxy.example.com", "no_proxy": "*"}, False),
        ({"https_proxy": "http://proxy.example.com", "no_proxy": "other.org"}, True),
        ({"https_proxy": ""}, False),
    ],
)
def test_a_proxy_is_gone_through_by_the_sdk_and_its_password_is_not_told(
    open_on: OpenRoute, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], proxied: bool
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    route = open_on("https://s3.example.com")
    assert (route.name == "s3transfer") is proxied
    assert ("proxy.example.com" in route.reason) is proxied
    assert "password" not in route.reason


def test_the_configuration_chooses(open_on: OpenRoute) -> None:
    assert open_on(choice="wire").name == "wire"
    chosen = open_on(choice="s3transfer")
    assert (chosen.name, chosen.reason) == ("s3transfer", "the configuration says so")


def test_without_credentials_nothing_is_opened(open_on: OpenRoute, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(CredentialsError, match="credentials"):
        open_on(aws=AwsOptions())


def test_both_engines_reach_the_same_store(open_on: OpenRoute, store: Store) -> None:
    for choice in ("wire", "s3transfer"):
        route = open_on(store.url, store.bucket, choice=choice, aws=store.aws)
        route.api.head_bucket(store.bucket)
