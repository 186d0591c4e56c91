"""Whatever a store says in the body and the head of an answer, it becomes a value or a sentence, never a crash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3tui.errors import StorageError
from s3tui.model import ObjectRef
from s3tui.transfer.wire.answers import Answer
from s3tui.transfer.wire.api import WireApi

_TARGET = ObjectRef("bucket", "key")
_TAGS = (
    "Key",
    "Size",
    "ETag",
    "LastModified",
    "UploadId",
    "PartNumber",
    "IsTruncated",
    "NextPartNumberMarker",
    "NextContinuationToken",
)
_LISTS = ("Contents", "Part", "Upload")
_ROOTS = ("ListBucketResult", "ListPartsResult", "InitiateMultipartUploadResult", "CompleteMultipartUploadResult", "Error", "html")
_WORDS = st.sampled_from(
    [
        "",
        " ",
        "0",
        "1",
        "-1",
        "1e3",
        "\u0663",
        "9" * 5000,
        "true",
        "x",
        "%",
        "2026-11-26T10:11:12.000Z",
        "9999-99-99",
        "0001-01-01T00:00:00",
    ]
)
_HEADERS = st.dictionaries(
    st.sampled_from(["content-length", "etag", "x-amz-version-id", "x-amz-checksum-crc32", "x-amz-meta-x", "x-amz-bucket-region"]),
    _WORDS,
)


class OneAnswer:
    """A store that says one thing to everything."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def ask(self, *_: Any, **__: Any) -> Answer:
        """See `Asks`."""
        return self._answer


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """XML such as stores answer, with odd contents, too few or too many, and perhaps broken off."""
    field = st.builds("<{0}>{1}</{0}>".format, st.sampled_from(_TAGS), _WORDS)
    fields = st.lists(field, max_size=5).map("".join)
    entry = st.builds("<{0}>{1}</{0}>".format, st.sampled_from(_LISTS), fields)
    inside = "".join(draw(st.lists(field | entry, max_size=6)))
    root = draw(st.sampled_from(_ROOTS))
    text = f"<{root}>{inside}</{root}>".encode()
    return text[: draw(st.integers(0, len(text)))] if draw(st.booleans()) else text


QUESTIONS: dict[str, Callable[[WireApi], object]] = {
    "ListObjectsV2": lambda api: api.list_objects("bucket", "p"),
    "HeadObject": lambda api: api.head_object(_TARGET),
    "CreateMultipartUpload": lambda api: api.create_multipart_upload(_TARGET, {}, "crc32"),
    "ListParts": lambda api: api.list_parts(_TARGET, "id"),
    "CompleteMultipartUpload": lambda api: api.complete_multipart_upload(_TARGET, "id", [], None, size=1, only_new=False),
    "ListMultipartUploads": lambda api: api.list_multipart_uploads("bucket", "p"),
}


@pytest.mark.parametrize("operation", QUESTIONS)
@given(
    status=st.sampled_from([200, 204, 301, 403, 404, 412, 500, 503]), headers=_HEADERS, body=documents() | st.binary(max_size=200)
)
def test_an_odd_answer_is_a_value_or_a_sentence(operation: str, status: int, headers: dict[str, str], body: bytes) -> None:
    said = f"{operation} s3://bucket"
    try:
        QUESTIONS[operation](WireApi(OneAnswer(Answer(status, headers, body, reusable=True))))
    except StorageError as error:
        said = str(error)
    assert said.startswith(f"{operation} s3://bucket")
    assert "\n" not in said


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("ListObjectsV2", b"<ListBucketResult><Contents><Key>k</Key><Size>many</Size></Contents></ListBucketResult>"),
        ("ListParts", b"<ListPartsResult><Part><PartNumber>1</PartNumber></Part></ListPartsResult>"),
        ("CreateMultipartUpload", b"<InitiateMultipartUploadResult/>"),
    ],
)
def test_an_answer_without_what_was_asked_for_may_be_asked_for_again(operation: str, body: bytes) -> None:
    with pytest.raises(StorageError, match=f"{operation} s3://bucket.* cannot be read") as caught:
        QUESTIONS[operation](WireApi(OneAnswer(Answer(200, {}, body, reusable=True))))
    assert (caught.value.code, caught.value.retryable) == ("MalformedAnswer", True)
