"""Where requests go, held against botocore: settings that are decided without it must lead where it would go."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from s3tui.model import Connection
from s3tui.storage.options import AwsOptions
from s3tui.storage.sdk import sdk_site
from s3tui.storage.site import Site, plain_site
from tests.storage.conftest import KEYS

ENDPOINTS = (
    "",
    "http://127.0.0.1:9000",
    "http://localhost:4566",
    "http://[::1]:9000",
    "https://s3.example.com",
    "https://s3.example.com:8443/base/",
    "https://s3.eu-west-1.amazonaws.com",
)
BUCKETS = ("bucket", "my.dotted.bucket", "Upper_Case", "abc", "127.0.0.1", "a" * 63, "with-hyphens-0")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    endpoint=st.sampled_from(ENDPOINTS),
    region=st.sampled_from(["", "us-east-1", "eu-west-3", "ap-southeast-4"]),
    style=st.sampled_from(["auto", "path", "virtual"]),
    bucket=st.sampled_from(BUCKETS),
)
@example(endpoint="", region="", style="auto", bucket="bucket")
@example(endpoint="", region="eu-west-3", style="auto", bucket="my.dotted.bucket")
def test_a_plain_site_is_where_botocore_goes(endpoint: str, region: str, style: str, bucket: str) -> None:
    if endpoint == "http://[::1]:9000":
        style = "path"  # in the host, botocore mistakes the brackets for a bucket
    connection = Connection(endpoint_url=endpoint, region=region, addressing_style=style)
    plain, theirs = plain_site(connection, KEYS), sdk_site(connection, KEYS, bucket)
    assert plain is not None
    assert isinstance(theirs, Site)
    assert (plain.address(bucket), plain.tls, plain.region) == (theirs.address(bucket), theirs.tls, theirs.region)


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1", "eusc-de-east-1", "nowhere"])
def test_a_region_that_is_not_common_is_left_to_the_sdk(region: str) -> None:
    assert plain_site(Connection(region=region), KEYS) is None


@pytest.mark.parametrize(
    "variable", ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_PROFILE", "AWS_ANYTHING_NEW", "AWS_DEFAULT_PROFILE"]
)
def test_a_variable_that_may_lead_elsewhere_is_left_to_the_sdk(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    assert plain_site(Connection(), KEYS) is not None
    monkeypatch.setenv(variable, "true")
    assert plain_site(Connection(), KEYS) is None


def test_a_profile_of_the_user_is_left_to_the_sdk() -> None:
    assert plain_site(Connection(profile="work"), KEYS) is None


def test_without_keys_everything_is_left_to_the_sdk() -> None:
    assert plain_site(Connection(), AwsOptions()) is None


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("", "us-east-1"),
        ("[default]\nregion = eu-west-3\noutput = json\n", "eu-west-3"),
        ("[profile other]\nregion = eu-west-3\n", "us-east-1"),
        ("[default]\ns3 =\n    use_accelerate_endpoint = true\n", None),
        ("[default]\nendpoint_url = http://elsewhere\n", None),
        ("[default]\nregion", None),
        ("no section\n", None),
    ],
)
def test_the_sdks_config_file_gives_the_region_or_is_left_to_the_sdk(tmp_path: Path, text: str, region: str | None) -> None:
    (tmp_path / "config").write_text(text)
    site = plain_site(Connection(), KEYS)
    assert (site and site.region) == region


@pytest.mark.parametrize(
    ("variables", "authorities"),
    [
        ({}, ""),
        ({"REQUESTS_CA_BUNDLE": "/r.pem"}, "/r.pem"),
        ({"REQUESTS_CA_BUNDLE": "/r.pem", "AWS_CA_BUNDLE": "/a.pem"}, "/a.pem"),
    ],
)
def test_certificates_are_trusted_as_the_sdk_trusts_them(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], authorities: str
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    connection = Connection(endpoint_url="https://s3.example.com")
    plain, theirs = plain_site(connection, KEYS), sdk_site(connection, KEYS, "bucket")
    assert isinstance(plain, Site)
    assert isinstance(theirs, Site)
    assert plain.ca_bundle == theirs.ca_bundle == authorities


def test_another_region_is_in_amazons_host_and_only_signed_for_elsewhere() -> None:
    amazon = plain_site(Connection(region="eu-west-3"), KEYS)
    assert amazon is not None
    assert amazon.in_region("us-west-2").host == "s3.us-west-2.amazonaws.com"
    other = plain_site(Connection(endpoint_url="https://s3.example.com"), KEYS)
    assert other is not None
    assert (other.in_region("us-west-2").host, other.in_region("us-west-2").region) == ("s3.example.com", "us-west-2")
