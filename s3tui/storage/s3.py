"""S3's control plane in S3's own words: connect, check, list. The only home of boto3's control calls.

A client makes one attempt: who asks decides whether to ask again, and there is one layer of retries only. Checksums are ours and
travel in headers, so botocore's own (trailers, which many stores take for content) are off.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeAlias, TypeVar

import botocore.loaders
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from s3tui import __version__
from s3tui.errors import AccessDenied, CredentialsError, EndpointUnreachable, StorageError, Throttled
from s3tui.model import Connection, StoredObject
from s3tui.storage.failures import translate, unusable_settings
from s3tui.storage.options import AwsOptions

__all__ = ["Bucket", "S3Client", "open_client", "translate"]

S3Client: TypeAlias = Any
"""botocore's S3 client, which is also boto3's: its class is made at run time."""

_CONNECT_SECONDS = 5
_ATTEMPTS = 5
_FIRST_DELAY = 0.2
_DEFAULT_REGION = "us-east-1"

_T = TypeVar("_T")


def open_client(connection: Connection, aws: AwsOptions, *, max_connections: int, read_timeout: float = 60) -> S3Client:
    """A client for one place and one identity. Thread-safe; keeps up to `max_connections` idle connections.

    What `connection` names wins over `aws`, which wins over boto3's own chain; a profile named by `connection` also wins over
    static keys. `read_timeout` is how many seconds a request may wait for a byte. Raises ConfigError for settings
    that make no client, CredentialsError for half a key pair.
    """
    endpoint = connection.endpoint_url or aws.endpoint_url or None
    config = _config(max_connections, read_timeout)
    try:
        session = _session(connection, aws)
        region = connection.region or _configured_region(aws) or session.get_config_variable("region") or _DEFAULT_REGION

        def create(*, signs_bodies: bool) -> S3Client:
            signing: Any = {"addressing_style": connection.addressing_style or "auto", "payload_signing_enabled": signs_bodies}
            return session.create_client("s3", region, endpoint_url=endpoint, config=config.merge(Config(s3=signing)))

        # Over TLS a checksum is proof enough of the body, and much cheaper than a signature that covers it.
        client = create(signs_bodies=_is_plain(endpoint))
        if endpoint is None and _is_plain(client.meta.endpoint_url):  # an endpoint of the environment or the profile
            client = create(signs_bodies=True)
    except (BotoCoreError, ValueError) as error:
        raise unusable_settings(error) from error
    return client


def _session(connection: Connection, aws: AwsOptions) -> Any:  # noqa: ANN401 - botocore's session has no useful type
    """A session of botocore itself: boto3's adds nothing that we use, and takes time to import."""
    session = botocore.session.Session(profile=connection.profile or aws.profile or None)
    session.register_component("data_loader", _service_models())
    if aws.access_key_id and not connection.profile:
        secret = aws.secret_access_key.get_secret_value()
        if not secret:
            raise CredentialsError("aws.access_key_id is set, but aws.secret_access_key is not: set both, or neither.")
        session.set_credentials(aws.access_key_id, secret, aws.session_token.get_secret_value() or None)
    return session


@cache
def _service_models() -> Any:  # noqa: ANN401
    """The descriptions of AWS's services, parsed once for all clients of this process."""
    return botocore.loaders.create_loader()


def _configured_region(aws: AwsOptions) -> str:
    """The region that was configured; a default is no reason to overrule a profile."""
    return aws.region if "region" in aws.model_fields_set else ""


def _is_plain(endpoint: str | None) -> bool:
    return endpoint is not None and endpoint.lower().startswith("http://")


def _config(max_connections: int, read_timeout: float) -> Config:
    return Config(
        retries={"total_max_attempts": 1},
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=read_timeout,
        max_pool_connections=max_connections,
        tcp_keepalive=True,
        parameter_validation=False,
        user_agent=f"s3tui/{__version__}",  # a fixed one: botocore would put its own together anew for every request
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


class Bucket:
    """One bucket. Requests that may succeed when sent again are sent again, for a few seconds."""

    def __init__(self, client: S3Client, name: str) -> None:
        self._client = client
        self.name = name

    def check(self) -> None:
        """Find what would make every file fail, before the first is sent. Raises a StorageError with `fatal` true for that.

        HEAD answers without a reason, so a refused HEAD is asked again as a listing: wrong keys are fatal, but who may not list may
        still be allowed to put, and passes. So does a store that merely asks for fewer requests. A store that only answers with
        server errors raises a StorageError that is not fatal.
        """
        try:
            self._look()
        except EndpointUnreachable as unreachable:
            unreachable.fatal = True
            raise
        except (AccessDenied, Throttled):
            return

    def _look(self) -> None:
        try:
            self._ask("HeadBucket", lambda: self._client.head_bucket(Bucket=self.name))
        except StorageError as refused:
            if refused.retryable:
                raise
            self._ask("ListObjectsV2", lambda: self._client.list_objects_v2(Bucket=self.name, MaxKeys=1))

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """The objects below a prefix, page by page, in the store's order: by the UTF-8 bytes of the key. Raises StorageError."""
        token: str | None = None
        while True:
            more: dict[str, Any] = {"ContinuationToken": token} if token else {}
            # boto3 asks for encoding-type=url by itself and undoes it, so that XML can carry every key.
            page = self._ask("ListObjectsV2", lambda: self._client.list_objects_v2(Bucket=self.name, Prefix=prefix, **more))  # noqa: B023
            for entry in page.get("Contents", ()):
                modified = int(entry["LastModified"].timestamp() * 1000)
                yield StoredObject(entry["Key"], entry["Size"], entry.get("ETag", "").strip('"'), modified)
            token = page.get("NextContinuationToken")
            if not page.get("IsTruncated") or not token:
                return

    def _ask(self, operation: str, request: Callable[[], _T]) -> _T:
        return _persist(operation, f"s3://{self.name}", request)


def _persist(operation: str, target: str, request: Callable[[], _T]) -> _T:
    """Ask again with growing, jittered pauses, three seconds at most in all, while the error says that this may help."""
    for attempt in range(1, _ATTEMPTS):
        try:
            with translate(operation, target):
                return request()
        except EndpointUnreachable:
            raise
        except StorageError as error:
            if not error.retryable or error.reason == "timeout":
                raise
        time.sleep(random.uniform(0, _FIRST_DELAY * 2 ** (attempt - 1)))
    with translate(operation, target):
        return request()
