"""Where requests go: endpoint, region and the way a bucket is addressed; and, for plain settings, found without the AWS SDK.

The SDK takes a third of a second to import, and most settings are plain: static keys, and an endpoint or a common region. For those
`plain_site` gives what botocore would; for anything that it does not know for certain it gives None, and botocore is asked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from s3tui.model import Connection

if TYPE_CHECKING:
    from s3tui.storage.options import AwsOptions

DEFAULT_REGION = "us-east-1"

_COMMON_REGION = re.compile(
    r"(af|ap|ca|eu|il|me|mx|sa|us)-(north|south|east|west|central|northeast|northwest|southeast|southwest)-\d"
)
_HOST_LABEL = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_HOST_LABELS = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")

_HARMLESS_VARIABLES = frozenset(
    f"AWS_{name}"
    for name in (
        "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "REGION", "DEFAULT_REGION", "DEFAULT_OUTPUT", "PAGER",
        "ENDPOINT", "ENDPOINT_URL", "ENDPOINT_URL_S3", "CA_BUNDLE", "CONFIG_FILE", "SHARED_CREDENTIALS_FILE",
        "EC2_METADATA_DISABLED", "EC2_METADATA_V1_DISABLED", "METADATA_SERVICE_TIMEOUT", "METADATA_SERVICE_NUM_ATTEMPTS",
        "MAX_ATTEMPTS", "RETRY_MODE", "EXECUTION_ENV", "STS_REGIONAL_ENDPOINTS",
        "REQUEST_CHECKSUM_CALCULATION", "RESPONSE_CHECKSUM_VALIDATION",
    )
)  # fmt: skip
"""Variables of the AWS SDK that do not change where our requests go."""

_HARMLESS_KEYS = frozenset(
    (
        "region",
        "output",
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
        "cli_pager",
        "max_attempts",
        "retry_mode",
    )
)
"""The same, in the SDK's config file; the region is read from there."""


class Address(NamedTuple):
    """Where the requests for one bucket go."""

    host: str
    port: int
    host_header: str
    root: str
    """What the path begins with: `/` where the bucket is in the host, else `/BUCKET/`; not escaped."""


class Site(NamedTuple):
    """An S3 endpoint, as one job sees it."""

    tls: bool
    host: str
    port: int
    base: str
    """Path of the endpoint itself: empty, or like `/s3`."""
    region: str
    virtual: bool
    """Whether the bucket goes into the host, where its name allows that."""
    ca_bundle: str = ""
    """File or directory of certificates to trust instead of the system's; empty: the system's."""

    @property
    def authority(self) -> str:
        """Host, and port unless it is the scheme's own: the value of the header `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"

    @property
    def endpoint(self) -> str:
        """Scheme and host, for people."""
        return f"{'https' if self.tls else 'http'}://{self.authority}"

    @property
    def local(self) -> bool:
        """Whether it is on this machine, so that nobody is on the way to it."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def address(self, bucket: str) -> Address:
        """Where requests for this bucket go; an empty name is the endpoint itself."""
        in_host = self.virtual and self._fits_host(bucket)
        host = f"{bucket}.{self.host}" if in_host else self.host
        root = f"{self.base}/" if in_host or not bucket else f"{self.base}/{bucket}/"
        return Address(host, self.port, self._replace(host=host).authority, root)

    def in_region(self, region: str) -> Site:
        """The same site for a bucket of another region: Amazon's host names it, other stores only sign for it."""
        host = self.host
        if host == "s3.amazonaws.com":
            host = f"s3.{region}.amazonaws.com"
        elif host.endswith(".amazonaws.com"):
            host = host.replace(f".{self.region}.", f".{region}.")
        return self._replace(host=host, region=region)

    def _fits_host(self, bucket: str) -> bool:
        labels = _HOST_LABEL if self.tls else _HOST_LABELS  # a dot would not match the certificate's wildcard
        if not labels.fullmatch(bucket) or ".." in bucket or _is_ip(bucket):
            return False
        return not _is_ip(self.host)


def plain_site(connection: Connection, aws: AwsOptions, environment: Mapping[str, str] = os.environ) -> Site | None:
    """The site of settings that are plain enough to decide without the SDK; else None.

    They have static keys and no profile, no setting of the SDK that could lead elsewhere, and an endpoint or a common region.
    """
    if not aws.access_key_id or connection.profile or aws.profile or "AWS_DEFAULT_PROFILE" in environment:
        return None
    if any(name.startswith("AWS_") and name not in _HARMLESS_VARIABLES for name, value in environment.items() if value):
        return None
    configured = _default_profile(environment)
    if configured is None or not configured.keys() <= _HARMLESS_KEYS:
        return None
    region = connection.region or (aws.region if "region" in aws.model_fields_set else "") or configured.get("region", "")
    region = region or DEFAULT_REGION
    style, ca_bundle = connection.addressing_style or "auto", trusted_authorities(environment)
    endpoint = connection.endpoint_url or aws.endpoint_url
    if endpoint:
        return site_of(endpoint, region, virtual=style == "virtual", ca_bundle=ca_bundle)
    if not _COMMON_REGION.fullmatch(region):
        return None
    host = "s3.amazonaws.com" if region == DEFAULT_REGION else f"s3.{region}.amazonaws.com"
    return Site(tls=True, host=host, port=443, base="", region=region, virtual=style != "path", ca_bundle=ca_bundle)


def site_of(endpoint: str, region: str, *, virtual: bool, ca_bundle: str = "") -> Site | None:
    """The site behind an endpoint's URL, or None if it is not one that can be taken apart safely."""
    try:
        parts = urlsplit(endpoint)
        port, host = parts.port, parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or parts.username is not None:
        return None
    if not host.isascii() or not re.fullmatch(r"[a-z0-9.:_-]+", host) or not re.fullmatch(r"[A-Za-z0-9/._~-]*", parts.path):
        return None
    tls = parts.scheme == "https"
    return Site(tls, host, port or (443 if tls else 80), parts.path.rstrip("/"), region, virtual, ca_bundle)


def trusted_authorities(environment: Mapping[str, str]) -> str:
    """The certificates to trust, as the SDK chooses them; empty: the system's."""
    return environment.get("AWS_CA_BUNDLE") or environment.get("REQUESTS_CA_BUNDLE") or ""


def _default_profile(environment: Mapping[str, str]) -> dict[str, str] | None:
    """What the SDK's config file says of its default profile; None if it cannot be told."""
    path = Path(environment.get("AWS_CONFIG_FILE") or "~/.aws/config").expanduser()
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        return None
    if not text.strip():
        return {}
    from configparser import Error, RawConfigParser

    parser = RawConfigParser(default_section="")
    try:
        parser.read_string(text)
    except Error:
        return None
    sections = [name for name in parser.sections() if name in ("default", "profile default")]
    return {key: value for name in sections for key, value in parser.items(name)}


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
