"""One transfer in flight: everything that the requests of one attempt need to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from s3tui.errors import StorageError
from s3tui.model import ObjectRef, Policy
from s3tui.storage.s3 import S3Client, translate
from s3tui.transfer.checksums import ALGORITHMS, Algorithm
from s3tui.transfer.engine import Control
from s3tui.transfer.headers import object_parameters
from s3tui.transfer.source import PinnedSource

_T = TypeVar("_T")

_UNKNOWN_HEADER = ("NotImplemented", "InvalidArgument")


class Store:
    """The client, and what its requests have taught us about the store. Shared by all transfers of an engine."""

    def __init__(self, client: S3Client) -> None:
        self.client = client
        self.takes_checksums = True

    def with_checksum(self, request: Callable[[dict[str, Any]], _T], parameters: dict[str, Any]) -> _T:
        """Send a request with its checksum parameters, or without them to a store that refuses such headers.

        Most stores that do not know them ignore them; a few answer 400 or 501. What they take without, we believe only then.
        """
        if not self.takes_checksums:
            return request({})
        try:
            return request(parameters)
        except StorageError as error:
            if error.code not in _UNKNOWN_HEADER or error.status not in (400, 501):
                raise
        answer = request({})
        self.takes_checksums = False
        return answer


@dataclass(frozen=True, slots=True)
class Flight:
    """One attempt to carry one file."""

    store: Store
    source: PinnedSource
    target: ObjectRef
    policy: Policy
    control: Control
    advance: Callable[[int], None]
    """Told of bytes that left for the store, negative when they must leave again."""

    @property
    def algorithm(self) -> Algorithm:
        """The checksum to send."""
        return ALGORITHMS[self.policy.checksum]

    @property
    def address(self) -> dict[str, Any]:
        """Bucket and key as boto3's parameters."""
        return {"Bucket": self.target.bucket, "Key": self.target.key}

    @property
    def parameters(self) -> dict[str, Any]:
        """What is stored with the object, as boto3's parameters."""
        return object_parameters(self.policy.headers, self.target.key)

    @property
    def condition(self) -> dict[str, Any]:
        """The guard against overwriting, for the request that makes the object appear."""
        return {} if self.policy.if_exists == "overwrite" else {"IfNoneMatch": "*"}

    def ask(self, operation: str, request: Callable[[], _T]) -> _T:
        """Send one request about this file. Raises what `translate` raises."""
        with translate(operation, str(self.target), self.source.path):
            return request()
