"""S3's control plane in its own words, as a protocol: whoever can reach a store speaks it, and everybody else asks for it.

Every call makes one attempt. All raise StorageError: AccessDenied, BucketNotFound and so on; `code` tells `NoSuchUpload`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

from s3tui.model import ObjectRef, StoredObject


class ObjectHead(NamedTuple):
    """What a store says of an object."""

    size: int
    etag: str
    """Without its quotes."""
    checksums: Mapping[str, str]
    """`crc64nvme` to base64: what the store keeps of them. It may merely play back what it was told."""
    version_id: str = ""
    metadata: Mapping[str, str] = MappingProxyType({})
    """The user's own, names in lower case."""


class ObjectPage(NamedTuple):
    """Some of the objects below a prefix, in the order of their keys."""

    objects: Sequence[StoredObject]
    token: str
    """What to ask for the next page with; empty: this is the last one."""


class ListedPart(NamedTuple):
    """A part that a store holds."""

    number: int
    size: int
    etag: str
    """As the store writes it, quotes included."""
    checksums: Mapping[str, str]


class PartPage(NamedTuple):
    """Some of the parts of an upload, by number."""

    parts: Sequence[ListedPart]
    marker: int
    """What to ask for the next page with; 0: this is the last one."""


class ListedUpload(NamedTuple):
    """A multipart upload that is open."""

    key: str
    upload_id: str
    initiated_ms: int


class PartReceipt(NamedTuple):
    """A part as CompleteMultipartUpload names it."""

    number: int
    etag: str
    checksum: str
    """base64; empty if the upload was begun without checksums."""


class WholeChecksum(NamedTuple):
    """The checksum of a whole multipart object."""

    algorithm: str
    value: str
    full_object: bool
    """Whether it is over the object's bytes; else over the checksums of the parts."""


class Completed(NamedTuple):
    """An object that a write made."""

    etag: str
    version_id: str


class Api(Protocol):
    """The requests that carry no file. Thread-safe."""

    def head_bucket(self, bucket: str) -> None:
        """See that the bucket is there and that we may look."""

    def list_objects(self, bucket: str, prefix: str, *, token: str = "", limit: int = 1000) -> ObjectPage:
        """A page of the objects below a prefix."""

    def head_object(self, target: ObjectRef) -> ObjectHead:
        """What there is under a key."""

    def get_range(self, target: ObjectRef, offset: int, length: int) -> bytes:
        """Bytes of an object, a few megabytes at most; fewer if it has fewer."""

    def delete_object(self, target: ObjectRef) -> None:
        """Remove an object of our own. That it is not there is no error."""

    def create_multipart_upload(self, target: ObjectRef, fields: Mapping[str, str], checksum: str) -> str:
        """Begin an upload and return its id. `fields` are header fields of the object, in lower case.

        `checksum` names an algorithm whose values every part will bring; empty: none.
        """

    def list_parts(self, target: ObjectRef, upload_id: str, *, marker: int = 0) -> PartPage:
        """A page of the parts that the store holds."""

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
        """Make the object of its parts. `size` is what it must come to; `only_new`: not if the key is taken."""

    def abort_multipart_upload(self, target: ObjectRef, upload_id: str) -> None:
        """Throw away an upload and its parts."""

    def list_multipart_uploads(self, bucket: str, prefix: str) -> Sequence[ListedUpload]:
        """The first thousand open uploads whose keys begin so."""
