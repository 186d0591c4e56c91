"""The AWS SDK: a client of botocore's, what it makes of the settings, and `Api` in its words.

A client makes one attempt: who asks decides whether to ask again, and there is one layer of retries only. Checksums are ours and
travel in headers, so botocore's own (trailers, which many stores take for content) are off.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from functools import cache
from io import BytesIO
from typing import Any, TypeAlias
from urllib.parse import unquote_plus, urlsplit

import botocore.loaders
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from urllib3 import HTTPResponse

from s3tui import __version__
from s3tui.errors import CredentialsError, CredentialsExpired, S3tuiError, StorageError
from s3tui.model import Connection, ObjectRef, StoredObject
from s3tui.storage.api import (
    Completed,
    ListedPart,
    ListedUpload,
    ObjectHead,
    ObjectPage,
    PartPage,
    PartReceipt,
    WholeChecksum,
)
from s3tui.storage.failures import translate, unusable_settings
from s3tui.storage.keys import Keys
from s3tui.storage.options import AwsOptions
from s3tui.storage.site import DEFAULT_REGION, Site, site_of
from s3tui.storage.verdicts import SIGN_IN

S3Client: TypeAlias = Any
"""botocore's S3 client: its class is made at run time."""

CHECKSUM_PARAMETERS = {
    "crc64nvme": "ChecksumCRC64NVME",
    "crc32": "ChecksumCRC32",
    "crc32c": "ChecksumCRC32C",
    "sha256": "ChecksumSHA256",
}
"""botocore's names for the value of each algorithm."""

_PARAMETERS = {
    "x-amz-storage-class": "StorageClass",
    "x-amz-server-side-encryption": "ServerSideEncryption",
    "x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId",
    "x-amz-tagging": "Tagging",
    "cache-control": "CacheControl",
    "content-type": "ContentType",
}
_METADATA = "x-amz-meta-"
_CONNECT_SECONDS = 5
_PROBE = "s3tui"
"""Key of a request that is never sent."""


def open_client(connection: Connection, aws: AwsOptions, *, max_connections: int, read_timeout: float = 60) -> S3Client:
    """A client for one place and one identity. Thread-safe; keeps up to `max_connections` idle connections.

    What `connection` names wins over `aws`, which wins over the SDK's own chain; a profile named by `connection` also wins over
    static keys. `read_timeout` is how many seconds a request may wait for a byte. Raises ConfigError for settings
    that make no client, CredentialsError for half a key pair.
    """
    endpoint = connection.endpoint_url or aws.endpoint_url or None
    config = client_config(max_connections, read_timeout)
    try:
        session = open_session(connection, aws)
        region = connection.region or _configured_region(aws) or session.get_config_variable("region") or DEFAULT_REGION

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


def open_session(connection: Connection, aws: AwsOptions) -> Any:  # noqa: ANN401 - botocore's session has no useful type
    """A session of botocore itself: boto3 adds nothing that we use. Raises CredentialsError."""
    session = botocore.session.Session(profile=connection.profile or aws.profile or None)
    session.register_component("data_loader", _service_models())
    if not connection.profile and aws.has_keys:
        secret, token = aws.secret_access_key.get_secret_value(), aws.session_token.get_secret_value()
        session.set_credentials(aws.access_key_id, secret, token or None)
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


def client_config(max_connections: int, read_timeout: float) -> Config:
    """How every client of ours behaves: one attempt, bounded waits, no checksums of its own."""
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


def object_parameters(fields: Mapping[str, str]) -> dict[str, Any]:
    """Header fields of an object as botocore's parameters, for PutObject and CreateMultipartUpload."""
    parameters: dict[str, Any] = {_PARAMETERS[name]: value for name, value in fields.items() if name in _PARAMETERS}
    metadata = {name.removeprefix(_METADATA): value for name, value in fields.items() if name.startswith(_METADATA)}
    return {**parameters, "Metadata": metadata} if metadata else parameters


class SdkApi:
    """Implements `Api` with a client of botocore's."""

    def __init__(self, client: S3Client) -> None:
        self._client = client

    def head_bucket(self, bucket: str) -> None:
        """See `Api`."""
        with translate("HeadBucket", f"s3://{bucket}"):
            self._client.head_bucket(Bucket=bucket)

    def list_objects(self, bucket: str, prefix: str, *, token: str = "", limit: int = 1000) -> ObjectPage:
        """See `Api`. botocore asks for `encoding-type=url` by itself and undoes it, so that XML can carry every key."""
        more: dict[str, Any] = {"ContinuationToken": token} if token else {}
        with translate("ListObjectsV2", f"s3://{bucket}"):
            page = self._client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=limit, **more)
            objects = [
                StoredObject(
                    entry["Key"], entry["Size"], entry.get("ETag", "").strip('"'), int(entry["LastModified"].timestamp() * 1000)
                )
                for entry in page.get("Contents", ())
            ]
        return ObjectPage(objects, page.get("NextContinuationToken", "") if page.get("IsTruncated") else "")

    def head_object(self, target: ObjectRef) -> ObjectHead:
        """See `Api`."""
        with translate("HeadObject", str(target)):
            answer = self._client.head_object(**_address(target), ChecksumMode="ENABLED")
            return ObjectHead(
                answer["ContentLength"],
                answer.get("ETag", "").strip('"'),
                _checksums(answer),
                answer.get("VersionId", ""),
                {name.lower(): value for name, value in answer.get("Metadata", {}).items()},
            )

    def get_range(self, target: ObjectRef, offset: int, length: int) -> bytes:
        """See `Api`."""
        with translate("GetObject", str(target)):
            answer = self._client.get_object(**_address(target), Range=f"bytes={offset}-{offset + length - 1}")
            data: bytes = answer["Body"].read()
        return data

    def delete_object(self, target: ObjectRef) -> None:
        """See `Api`."""
        with translate("DeleteObject", str(target)):
            self._client.delete_object(**_address(target))

    def create_multipart_upload(self, target: ObjectRef, fields: Mapping[str, str], checksum: str) -> str:
        """See `Api`."""
        proof = {"ChecksumAlgorithm": checksum.upper()} if checksum else {}
        if checksum.startswith("crc"):
            proof["ChecksumType"] = "FULL_OBJECT"
        with translate("CreateMultipartUpload", str(target)):
            answer = self._client.create_multipart_upload(**_address(target), **object_parameters(fields), **proof)
            upload_id: str = answer["UploadId"]
            return upload_id

    def list_parts(self, target: ObjectRef, upload_id: str, *, marker: int = 0) -> PartPage:
        """See `Api`."""
        more = {"PartNumberMarker": marker} if marker else {}
        with translate("ListParts", str(target)):
            page = self._client.list_parts(**_address(target), UploadId=upload_id, **more)
            listed = page.get("Parts", ())
            parts = [ListedPart(part["PartNumber"], part["Size"], part.get("ETag", ""), _checksums(part)) for part in listed]
        return PartPage(parts, int(page.get("NextPartNumberMarker", 0)) if page.get("IsTruncated") else 0)

    def complete_multipart_upload(
        self,
        target: ObjectRef,
        upload_id: str,
        parts: Sequence[PartReceipt],
        whole: WholeChecksum | None,
        *,
        size: int,
        only_new: bool,
    ) -> Completed:
        """See `Api`."""
        parameters: dict[str, Any] = {**_address(target), "UploadId": upload_id}
        if only_new:
            parameters["IfNoneMatch"] = "*"
        described = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
        if whole is not None:
            name = CHECKSUM_PARAMETERS[whole.algorithm]
            described = [{**one, name: part.checksum} for one, part in zip(described, parts, strict=True)]
            if whole.full_object:
                parameters |= {name: whole.value, "ChecksumType": "FULL_OBJECT", "MpuObjectSize": size}
        with translate("CompleteMultipartUpload", str(target)):
            answer = self._client.complete_multipart_upload(**parameters, MultipartUpload={"Parts": described})
        return Completed(answer.get("ETag", "").strip('"'), answer.get("VersionId", ""))

    def abort_multipart_upload(self, target: ObjectRef, upload_id: str) -> None:
        """See `Api`."""
        with translate("AbortMultipartUpload", str(target)):
            self._client.abort_multipart_upload(**_address(target), UploadId=upload_id)

    def list_multipart_uploads(self, bucket: str, prefix: str) -> Sequence[ListedUpload]:
        """See `Api`."""
        try:
            with translate("ListMultipartUploads", f"s3://{bucket}"):
                page = self._client.list_multipart_uploads(Bucket=bucket, Prefix=prefix, EncodingType="url")
                quoted = page.get("EncodingType") == "url"
                return [
                    ListedUpload(
                        unquote_plus(entry["Key"]) if quoted else entry["Key"],
                        entry["UploadId"],
                        int(entry["Initiated"].timestamp() * 1000),
                    )
                    for entry in page.get("Uploads", ())
                ]
        except StorageError as error:
            if error.code != "NoSuchUpload":
                raise
            return []  # how some stores say that there is none


def _address(target: ObjectRef) -> dict[str, str]:
    return {"Bucket": target.bucket, "Key": target.key}


def _checksums(answer: Any) -> dict[str, str]:  # noqa: ANN401 - botocore's answers have no shape
    return {name: answer[parameter] for name, parameter in CHECKSUM_PARAMETERS.items() if parameter in answer}


class SdkKeys:
    """Implements `KeyRing` with the SDK's own chain: environment, profiles, SSO, assumed roles, instance metadata."""

    def __init__(self, connection: Connection, aws: AwsOptions) -> None:
        """Find credentials. Raises CredentialsError when there are none, ConfigError for settings that cannot be used."""
        self._connection = connection
        self._aws = aws
        self._credentials = find_credentials(self._connection, self._aws)

    @property
    def renews(self) -> bool:
        """See `KeyRing`."""
        return hasattr(self._credentials, "refresh_needed")

    def current(self) -> Keys:
        """See `KeyRing`."""
        with translate("GetCredentials", "of the AWS SDK"):
            frozen = self._credentials.get_frozen_credentials()
        return Keys(frozen.access_key, frozen.secret_key, frozen.token or "")

    def renewed(self, worn: Keys) -> Keys:
        """See `KeyRing`. Asks the whole chain anew: files may have been written, a sign-in may have been made."""
        expired = f"The access key ...{worn.access_key[-4:]} has expired"
        try:
            self._credentials = find_credentials(self._connection, self._aws)
            keys = self.current()
        except S3tuiError as error:
            raise CredentialsExpired(f"{expired}, and there is no other: {error}") from error
        if keys == worn:
            raise CredentialsExpired(f"{expired}, and there is no other. {SIGN_IN}")
        return keys


def find_credentials(connection: Connection, aws: AwsOptions) -> Any:  # noqa: ANN401 - botocore's credentials have many kinds
    """What the SDK's chain finds, not yet asked for its keys. Raises CredentialsError, ConfigError."""
    try:
        credentials = open_session(connection, aws).get_credentials()
    except (BotoCoreError, ValueError) as error:
        raise unusable_settings(error) from error
    if credentials is None:
        step = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a --profile, or run `aws sso login`."
        raise CredentialsError(f"There are no credentials: {step}")
    return credentials


def sdk_site(connection: Connection, aws: AwsOptions, bucket: str) -> Site | str:
    """Where the SDK would send an object of this bucket, learnt from a request that is never sent; or why we cannot go there.

    Raises ConfigError, CredentialsError.
    """
    client = open_client(connection, aws, max_connections=1)
    taken: list[Any] = []

    def take(request: Any, **_: Any) -> AWSResponse:  # noqa: ANN401 - botocore's hook
        taken.append(request)
        return AWSResponse(request.url, 200, HTTPHeaders(), HTTPResponse(BytesIO()))

    client.meta.events.register_first("before-send.s3.PutObject", take)
    with translate("Signing a request to", f"s3://{bucket}"):
        client.put_object(Bucket=bucket, Key=_PROBE, Body=b"")
    request = taken[0]
    signature = request.headers.get("Authorization", b"").decode()
    scope = re.match(r"AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/([^/]+)/s3/aws4_request", signature)
    if scope is None:
        return "requests to this bucket are signed in another way than with Signature Version 4 and one region"
    parts = urlsplit(request.url)
    host, path = parts.hostname or "", parts.path
    virtual = host.startswith(f"{bucket}.") and path.endswith(f"/{_PROBE}") and f"/{bucket}/" not in path
    base = path.removesuffix(f"/{_PROBE}" if virtual else f"/{bucket}/{_PROBE}")
    session = open_session(connection, aws)
    ca_bundle = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE") or ""
    endpoint = f"{parts.scheme}://{parts.netloc.removeprefix(f'{bucket}.') if virtual else parts.netloc}{base}"
    site = site_of(endpoint, scope[1], virtual=virtual, ca_bundle=ca_bundle)
    return site if site is not None else f"the endpoint {endpoint} cannot be taken apart"
