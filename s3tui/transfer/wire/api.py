"""`Api` over the crew: requests that carry no file, and what the answers say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote_plus

from s3tui.errors import StorageError
from s3tui.model import ObjectRef, StoredObject
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
from s3tui.storage.verdicts import read_error, refused
from s3tui.text import display_text
from s3tui.transfer.checksums import ALGORITHMS
from s3tui.transfer.wire.answers import Answer

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_META = "x-amz-meta-"


class Asks(Protocol):
    """Who can ask a store something."""

    def ask(
        self,
        operation: str,
        method: str,
        target: tuple[str, str],
        *,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """Ask, and wait for the answer, whatever its status. Raises StorageError when there is none."""


class WireApi:
    """Implements `Api`."""

    def __init__(self, office: Asks) -> None:
        self._office = office

    def head_bucket(self, bucket: str) -> None:
        """See `Api`."""
        self._ask("HeadBucket", "HEAD", ObjectRef(bucket, ""))

    def list_objects(self, bucket: str, prefix: str, *, token: str = "", limit: int = 1000) -> ObjectPage:
        """See `Api`."""
        query = [("list-type", "2"), ("encoding-type", "url"), ("prefix", prefix), ("max-keys", str(limit))]
        if token:
            query.append(("continuation-token", token))
        with self._document("ListObjectsV2", "GET", ObjectRef(bucket, ""), query) as page:
            quoted = _text(page, "EncodingType") == "url"
            objects = [
                StoredObject(
                    _key(entry, quoted), int(_text(entry, "Size")), _text(entry, "ETag").strip('"'), _ms(entry, "LastModified")
                )
                for entry in page.iterfind("Contents")
            ]
            return ObjectPage(objects, _text(page, "NextContinuationToken") if _text(page, "IsTruncated") == "true" else "")

    def head_object(self, target: ObjectRef) -> ObjectHead:
        """See `Api`."""
        status, headers, *_ = self._ask("HeadObject", "HEAD", target, headers={"x-amz-checksum-mode": "ENABLED"})
        checksums = {name: headers[one.header] for name, one in ALGORITHMS.items() if one.header in headers}
        with _readable("HeadObject", target, status):
            size = int(headers.get("content-length", "-1"))
        metadata = {name.removeprefix(_META): value for name, value in headers.items() if name.startswith(_META)}
        return ObjectHead(size, headers.get("etag", "").strip('"'), checksums, headers.get("x-amz-version-id", ""), metadata)

    def get_range(self, target: ObjectRef, offset: int, length: int) -> bytes:
        """See `Api`."""
        return self._ask("GetObject", "GET", target, headers={"range": f"bytes={offset}-{offset + length - 1}"}).body

    def create_multipart_upload(self, target: ObjectRef, fields: Mapping[str, str], checksum: str) -> str:
        """See `Api`."""
        headers = dict(fields)
        if checksum:
            headers["x-amz-checksum-algorithm"] = ALGORITHMS[checksum].constant
            if ALGORITHMS[checksum].full_object:
                headers["x-amz-checksum-type"] = "FULL_OBJECT"
        with self._document("CreateMultipartUpload", "POST", target, [("uploads", "")], headers) as document:
            upload_id = _text(document, "UploadId")
            if not upload_id:
                raise ValueError("it names no upload")
            return upload_id

    def list_parts(self, target: ObjectRef, upload_id: str, *, marker: int = 0) -> PartPage:
        """See `Api`."""
        query = [("uploadId", upload_id)]
        if marker:
            query.append(("part-number-marker", str(marker)))
        with self._document("ListParts", "GET", target, query) as page:
            parts = [
                ListedPart(int(_text(part, "PartNumber")), int(_text(part, "Size")), _text(part, "ETag"), _checksums(part))
                for part in page.iterfind("Part")
            ]
            return PartPage(parts, int(_text(page, "NextPartNumberMarker") or 0) if _text(page, "IsTruncated") == "true" else 0)

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
        headers = {"if-none-match": "*"} if only_new else {}
        if whole is not None and whole.full_object:
            headers[ALGORITHMS[whole.algorithm].header] = whole.value
            headers["x-amz-checksum-type"] = "FULL_OBJECT"
            headers["x-amz-mp-object-size"] = str(size)
        body = "".join(_complete_lines(parts, whole)).encode()
        query = [("uploadId", upload_id)]
        with self._document("CompleteMultipartUpload", "POST", target, query, headers, body) as document:
            return Completed(_text(document, "ETag").strip('"'), document.get("version-id", ""))

    def abort_multipart_upload(self, target: ObjectRef, upload_id: str) -> None:
        """See `Api`."""
        self._ask("AbortMultipartUpload", "DELETE", target, [("uploadId", upload_id)])

    def list_multipart_uploads(self, bucket: str, prefix: str) -> Sequence[ListedUpload]:
        """See `Api`."""
        query = [("uploads", ""), ("encoding-type", "url"), ("prefix", prefix)]
        try:
            with self._document("ListMultipartUploads", "GET", ObjectRef(bucket, ""), query) as page:
                quoted = _text(page, "EncodingType") == "url"
                return [
                    ListedUpload(_key(upload, quoted), _text(upload, "UploadId"), _ms(upload, "Initiated"))
                    for upload in page.iterfind("Upload")
                ]
        except StorageError as error:
            if error.code != "NoSuchUpload":
                raise
            return []  # how some stores say that there is none

    @contextmanager
    def _document(
        self,
        operation: str,
        method: str,
        target: ObjectRef,
        query: Sequence[tuple[str, str]],
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Iterator[Element]:
        """The XML of an answer, its names without their namespace; the block is to read it.

        An error may hide in an answer that began as a success.
        """
        from xml.etree import ElementTree

        answer = self._ask(operation, method, target, query, headers, body)
        with _readable(operation, target, answer.status):
            document = ElementTree.fromstring(answer.body.strip())  # noqa: S314 - from the store that we trust with our files
            for element in document.iter():
                element.tag = element.tag.rpartition("}")[2]
            if document.tag == "Error":
                said = read_error(answer.body, answer.headers)
                status = 500 if said.code == "InternalError" else answer.status
                raise refused(f"{operation} {display_text(_name(target))}", status, said)
            document.set("version-id", answer.headers.get("x-amz-version-id", ""))
            yield document

    def delete_object(self, target: ObjectRef) -> None:
        """See `Api`."""
        try:
            self._ask("DeleteObject", "DELETE", target)
        except StorageError as error:
            if error.status != 404:
                raise

    def _ask(
        self,
        operation: str,
        method: str,
        target: ObjectRef,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """An answer that is none of refusal. Raises StorageError."""
        answer = self._office.ask(operation, method, (target.bucket, target.key), query=query, headers=headers, body=body)
        if answer.status >= 300:
            raise refused(f"{operation} {display_text(_name(target))}", answer.status, read_error(answer.body, answer.headers))
        return answer


@contextmanager
def _readable(operation: str, target: ObjectRef, status: int) -> Iterator[None]:
    """While it is entered an answer is read. Raises StorageError if that is not possible; what is no XML is a SyntaxError."""
    try:
        yield
    except (SyntaxError, LookupError, ValueError) as error:
        what, cause = f"{operation} {display_text(_name(target))}", display_text(str(error))
        sentence = f"{what} failed: the answer cannot be read ({cause}). Try again."
        raise StorageError(sentence, code="MalformedAnswer", status=status, reason="connection", retryable=True) from error


def _name(target: ObjectRef) -> str:
    return str(target) if target.key else f"s3://{target.bucket}"


def _complete_lines(parts: Sequence[PartReceipt], whole: WholeChecksum | None) -> Iterator[str]:
    yield f'<CompleteMultipartUpload xmlns="{_NAMESPACE}">'
    for part in parts:
        proof = ""
        if whole is not None:
            name = f"Checksum{ALGORITHMS[whole.algorithm].constant}"
            proof = f"<{name}>{part.checksum}</{name}>"
        yield f"<Part><PartNumber>{part.number}</PartNumber><ETag>{escape(part.etag, quote=False)}</ETag>{proof}</Part>"
    yield "</CompleteMultipartUpload>"


def _text(element: Element, name: str) -> str:
    return element.findtext(name) or ""


def _key(element: Element, quoted: bool) -> str:
    key = _text(element, "Key")
    return unquote_plus(key) if quoted else key


def _ms(element: Element, name: str) -> int:
    """A time like `2026-11-26T10:11:12.000Z` in milliseconds since 1970; 0 if there is none."""
    try:
        return int(datetime.fromisoformat(_text(element, name)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0


def _checksums(part: Element) -> dict[str, str]:
    kept = {name: _text(part, f"Checksum{one.constant}") for name, one in ALGORITHMS.items()}
    return {name: value for name, value in kept.items() if value}
