"""Which engine carries the files of a job, and why: our own wherever it can, botocore's client for the rest."""

from __future__ import annotations

import logging
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from s3tui.errors import ConfigError
from s3tui.model import Connection
from s3tui.storage.api import Api
from s3tui.storage.keys import FixedKeys, KeyRing, Keys
from s3tui.storage.options import AwsOptions
from s3tui.storage.profile import AMAZON, Profile, Profiles
from s3tui.storage.proxies import proxy_for
from s3tui.storage.site import Site, plain_site
from s3tui.transfer.engine import Engine

if TYPE_CHECKING:
    from s3tui.transfer.wire.conduct import Acquaintance

_log = logging.getLogger(__name__)

_WARM = 4
"""Connections that are made before there is anything to send."""

_OF_ITS_OWN_KIND = {
    re.compile(r"arn:"): "the target is named by an ARN, whose requests are signed in another way",
    re.compile(r".*--x-s3"): "directory buckets (S3 Express) want sessions of their own",
    re.compile(r".*\.mrap"): "multi-region access points are signed with Signature Version 4A",
}


class Route(NamedTuple):
    """A way to a store, open until its engine is closed."""

    engine: Engine
    api: Api
    name: str
    """`wire` or `s3transfer`."""
    reason: str = ""
    """Why it is not `wire`."""
    known: Profile | None = None
    """What was known of the store when it was opened."""
    acquaintance: Acquaintance | None = None
    """Who finds out about it, if nothing was."""

    def profile(self, seconds: float) -> Profile | None:
        """What the store checks and bears; it is asked if nobody has asked it yet, and waited for so long at most."""
        if self.acquaintance is None:
            return self.known
        self.acquaintance.begin()
        self.acquaintance.end(seconds)
        return self.acquaintance.profile


def kind_of(bucket: str) -> str:
    """Why a bucket is not for `wire`; empty: it is."""
    return next((reason for pattern, reason in _OF_ITS_OWN_KIND.items() if pattern.match(bucket)), "")


def open_route(connection: Connection, aws: AwsOptions, bucket: str, *, choice: str, concurrency: int, profiles: Profiles) -> Route:
    """Open the way to a bucket. `choice` is `auto`, `wire` or `s3transfer`; `profiles` keeps what is found out about stores.

    Raises ConfigError, CredentialsError.
    """
    reason = "the configuration says so"
    if choice != "s3transfer":
        site = _site(connection, aws, bucket)
        if isinstance(site, Site):
            return _wire(site, _keys(connection, aws), bucket, profiles)
        reason = site
    if choice == "wire":
        raise ConfigError(f"transfer.engine is wire, and that cannot be: {reason}. Use auto.")
    _log.info("s3transfer carries the files: %s", reason)
    return _s3transfer(connection, aws, concurrency, reason)


def _site(connection: Connection, aws: AwsOptions, bucket: str) -> Site | str:
    """Where requests go, or why `wire` cannot send them."""
    if reason := kind_of(bucket):
        return reason
    site: Site | str | None = plain_site(connection, aws)
    if site is None:
        from s3tui.storage.sdk import sdk_site

        site = sdk_site(connection, aws, bucket)
    if isinstance(site, str):
        return site
    proxy = proxy_for(site, site.address(bucket).host, os.environ)
    return f"requests have to go through the proxy {proxy}" if proxy else site


def _keys(connection: Connection, aws: AwsOptions) -> KeyRing:
    secret = aws.secret_access_key.get_secret_value()
    if aws.access_key_id and secret and not connection.profile:
        return FixedKeys(Keys(aws.access_key_id, secret, aws.session_token.get_secret_value()))
    from s3tui.storage.sdk import SdkKeys

    return SdkKeys(connection, aws)


def _wire(site: Site, keys: KeyRing, bucket: str, profiles: Profiles) -> Route:
    from s3tui.transfer.wire.conduct import Acquaintance, conduct_for, known_profile
    from s3tui.transfer.wire.engine import WireEngine
    from s3tui.transfer.wire.office import Office

    profile = known_profile(site, profiles)
    office = Office(site, keys, conduct_for(site, profile))
    office.warm(bucket, _WARM)
    acquaintance = Acquaintance(office, profiles, bucket, "") if profile is None else None
    engine = WireEngine(office, acquaintance)
    return Route(engine, engine.api, "wire", known=profile, acquaintance=acquaintance)


def _s3transfer(connection: Connection, aws: AwsOptions, concurrency: int, reason: str) -> Route:
    from s3tui.transfer.s3transfer import open_engine

    engine = open_engine(connection, aws, concurrency=concurrency)
    amazon = not (connection.endpoint_url or aws.endpoint_url)
    return Route(engine, engine.api, "s3transfer", reason, known=AMAZON if amazon else None)
