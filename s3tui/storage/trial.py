"""What these credentials may do with a bucket, found out by doing it, once each; and how far the store's clock is from ours.

The SDK asks, whichever engine will carry the files. Every request waits a few seconds for a byte at most.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from s3tui.errors import EndpointUnreachable, StorageError
from s3tui.model import Connection, ObjectRef
from s3tui.storage.failures import translate
from s3tui.storage.options import AwsOptions
from s3tui.storage.sdk import object_parameters, open_client

_SECONDS = 5


class Trial:
    """One bucket and one identity. `outcomes` has what came of each operation that was tried; None: it is allowed, and works."""

    def __init__(self, connection: Connection, aws: AwsOptions, target: ObjectRef) -> None:
        """`target` is a bucket and a prefix. Raises ConfigError, CredentialsError."""
        self._client = open_client(connection, aws, max_connections=1, read_timeout=_SECONDS)
        self._client.meta.events.register("response-received.s3", self._note_date)
        self._bucket = {"Bucket": target.bucket}
        self._prefix = target.key
        self._name = f"s3://{target.bucket}"
        self._begun: set[str] = set()
        self._hopeless = False
        self.outcomes: dict[str, StorageError | None] = {}
        self.etag_is_md5: bool | None = None
        """Whether the ETag of what was put is its MD5; None: nothing was."""
        self.clock_ahead: float | None = None
        """By how many seconds this machine's clock is ahead of the store's; None: no answer told its time."""

    def look(self) -> None:
        """Try what changes nothing."""
        self._try("ListObjectsV2", self._name, lambda: self._list("list_objects_v2", MaxKeys=1))
        self._try("ListMultipartUploads", self._name, lambda: self._list("list_multipart_uploads", MaxUploads=1))

    def write(self, target: ObjectRef, fields: Mapping[str, str]) -> None:
        """Try everything else under a key that nobody else means; what was made is removed, also when this is broken off.

        `fields` are header fields that the object shall have.
        """
        probe = _Probe(self._client, target, object_parameters(fields))
        name = str(target)
        try:
            if self._try("PutObject", name, probe.put):
                self.etag_is_md5 = probe.etag_is_md5
                self._try("HeadObject", name, probe.head)
                self._try("GetObject", name, probe.get)
            if self._try("CreateMultipartUpload", name, probe.create):
                self._try("ListParts", name, probe.list_parts)
        finally:
            self._hopeless = False
            if self._may_be_there("PutObject"):
                self._try("DeleteObject", name, probe.delete)
            if self._may_be_there("CreateMultipartUpload"):
                self._try("AbortMultipartUpload", name, probe.abort)

    def allows(self, operation: str) -> bool:
        """Whether it was tried, and worked."""
        return operation in self.outcomes and self.outcomes[operation] is None

    @property
    def leaves(self) -> bool:
        """Whether something that was made could not be removed."""
        return any(self.outcomes.get(operation) for operation in ("DeleteObject", "AbortMultipartUpload"))

    def _try(self, operation: str, target: str, request: Callable[[], object]) -> bool:
        if self._hopeless:
            return False
        self._begun.add(operation)
        try:
            with translate(operation, target):
                request()
        except StorageError as error:
            self.outcomes[operation] = error
            self._hopeless = error.fatal or error.status == 0
            return False
        self.outcomes[operation] = None
        return True

    def _may_be_there(self, operation: str) -> bool:
        """Whether the store has done it, or may have: it gave no answer, or one of trouble."""
        if operation not in self._begun:
            return False
        error = self.outcomes.get(operation)
        return error is None or not (400 <= error.status < 500 or isinstance(error, EndpointUnreachable))

    def _list(self, method: str, **limit: int) -> None:
        try:
            getattr(self._client, method)(**self._bucket, Prefix=self._prefix, **limit)
        except self._client.exceptions.NoSuchUpload:  # how some stores say that there is none
            return

    def _note_date(self, response_dict: Any, **_: object) -> None:  # noqa: ANN401 - botocore's hook
        try:
            theirs = parsedate_to_datetime(response_dict["headers"]["date"]).timestamp()
        except (KeyError, TypeError, ValueError):
            return
        self.clock_ahead = time.time() - (theirs + 0.5)  # it tells whole seconds


class _Probe:
    """An object and an upload under one key."""

    def __init__(self, client: Any, target: ObjectRef, parameters: Mapping[str, Any]) -> None:  # noqa: ANN401 - see `S3Client`
        self._client = client
        self._address = {"Bucket": target.bucket, "Key": target.key}
        self._target = target
        self._parameters = parameters
        self._content = secrets.token_bytes(64)
        self._version: dict[str, str] = {}
        self._upload_id = ""
        self.etag_is_md5 = False

    def put(self) -> None:
        md5 = hashlib.md5(self._content, usedforsecurity=False)
        proof = {"ContentMD5": base64.b64encode(md5.digest()).decode()}
        answer = self._client.put_object(**self._address, **self._parameters, **proof, Body=self._content)
        self.etag_is_md5 = answer.get("ETag", "").strip('"') == md5.hexdigest()
        self._version = {"VersionId": answer["VersionId"]} if answer.get("VersionId") else {}

    def head(self) -> None:
        self._client.head_object(**self._address)

    def get(self) -> None:
        if self._client.get_object(**self._address)["Body"].read() != self._content:
            sentence = f"GetObject {self._target} failed: the store gave back other bytes than it was sent. Trust it with nothing."
            raise StorageError(sentence, status=200, reason="bad_digest")

    def create(self) -> None:
        self._upload_id = self._client.create_multipart_upload(**self._address, **self._parameters).get("UploadId", "")
        if not self._upload_id:
            sentence = f"CreateMultipartUpload {self._target} failed: the store named no upload. Check that the endpoint is an S3."
            raise StorageError(sentence, status=200, reason="refused")

    def list_parts(self) -> None:
        self._client.list_parts(**self._address, UploadId=self._upload_id)

    def delete(self) -> None:
        """Remove the very version; who may not do that may still delete."""
        if self._version:
            try:
                self._client.delete_object(**self._address, **self._version)
            except self._client.exceptions.ClientError:
                self._version = {}
            else:
                return
        self._client.delete_object(**self._address)

    def abort(self) -> None:
        """Abort what was begun, also where the answer with its id was lost."""
        ids = [self._upload_id] if self._upload_id else self._listed()
        for upload_id in ids:
            self._client.abort_multipart_upload(**self._address, UploadId=upload_id)

    def _listed(self) -> list[str]:
        page = self._client.list_multipart_uploads(Bucket=self._target.bucket, Prefix=self._target.key)
        return [upload["UploadId"] for upload in page.get("Uploads", ()) if upload["Key"] == self._target.key]
