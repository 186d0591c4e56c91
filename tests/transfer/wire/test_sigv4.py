"""The signer, held against botocore's: every request that we could write must get the signature that botocore would give it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from urllib.parse import quote

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import example, given
from hypothesis import strategies as st

from s3tui.storage.keys import Keys
from s3tui.storage.site import Address
from s3tui.transfer.wire.forms import Form
from s3tui.transfer.wire.sigv4 import EMPTY_SHA256, UNSIGNED, Signer, canonical_query, canonical_value, quoted_path

MIDNIGHT = datetime(2026, 11, 27, tzinfo=UTC).timestamp()

_characters = st.characters(exclude_categories=["Cs"])
_keys = st.text(_characters, min_size=1, max_size=60) | st.sampled_from(
    ["a b", "a+b", "%2F", "a//b", "./x", "../y", "~user", "é", "e\u0301", "😀", "new\nline", "q?x#y", "&;=,$@:!*'()", "\x00\x7f"]
)
_names = st.from_regex(r"x-amz-meta-[a-z0-9-]{1,12}", fullmatch=True) | st.sampled_from(
    ["cache-control", "content-type", "if-none-match"]
)
_values = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30).map(str.strip)
_queries = st.lists(
    st.tuples(
        st.sampled_from(["uploads", "uploadId", "partNumber", "prefix", "list-type", "a-b"]), st.text(_characters, max_size=12)
    ),
    max_size=4,
)
_addresses = st.sampled_from(
    [
        Address("127.0.0.1", 9000, "127.0.0.1:9000", "/bucket/"),
        Address("::1", 9000, "[::1]:9000", "/bucket/"),
        Address("bucket.s3.eu-west-3.amazonaws.com", 443, "bucket.s3.eu-west-3.amazonaws.com", "/"),
        Address("store.example", 80, "store.example", "/base/bucket/"),
    ]
)


@given(
    method=st.sampled_from(["PUT", "GET", "HEAD", "POST", "DELETE"]),
    key=_keys,
    query=_queries,
    fields=st.dictionaries(_names, _values, max_size=4),
    address=_addresses,
    token=st.sampled_from(["", "FwoGZXIvYXdzEJr//////////wEaDK+/="]),
    region=st.sampled_from(["us-east-1", "ap-southeast-4"]),
    body=st.sampled_from([b"", b"body"]) | st.none(),
    second=st.integers(0, 4_000_000_000),
)
@example("PUT", "a b/%41+é", [("uploads", "")], {"x-amz-meta-a": "two  spaces"}, Address("h", 1, "h:1", "/b/"), "", "r", b"", 0)
def test_every_request_gets_the_signature_that_botocore_gives_it(
    method: str,
    key: str,
    query: list[tuple[str, str]],
    fields: dict[str, str],
    address: Address,
    token: str,
    region: str,
    body: bytes | None,
    second: int,
) -> None:
    signer = Signer(Keys("AKIDEXAMPLE", "secret/with+signs", token), region, clock=lambda: second)
    payload = UNSIGNED if body is None else hashlib.sha256(body).hexdigest()
    path = quoted_path(address.root + key)
    blanks = tuple([name for name in sorted(fields) if fields[name] == canonical_value(fields[name])][::2])
    fixed = {name: value for name, value in fields.items() if name not in blanks}
    form = Form(method, signer, address, fixed, blanks)
    head = form.fill(path, canonical_query(query), tuple(fields[name] for name in blanks), payload, len(body or b""))
    assert _authorization(head) == _botocore(method, path, query, fields, address, signer, payload)
    assert head.count(b"\r\n") == head.count(b"\n")


def _authorization(head: bytes) -> str:
    lines = head.decode("latin-1").split("\r\n")
    return next(line for line in lines if line.startswith("Authorization: ")).removeprefix("Authorization: ")


def _botocore(
    method: str, path: str, query: list[tuple[str, str]], fields: dict[str, str], address: Address, signer: Signer, payload: str
) -> str:
    keys = signer.keys
    auth = S3SigV4Auth(Credentials(keys.access_key, keys.secret, keys.token or None), "s3", signer.region)
    headers = {**fields, "Host": address.host_header, "X-Amz-Date": signer.amz_date(), "X-Amz-Content-SHA256": payload}
    if keys.token:
        headers["X-Amz-Security-Token"] = keys.token
    escaped = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in query)
    request = AWSRequest(method, f"http://{address.host_header}{path}" + (f"?{escaped}" if escaped else ""), headers=headers)
    request.context["timestamp"] = signer.amz_date()
    canonical = auth.canonical_request(request)
    signature = auth.signature(auth.string_to_sign(request, canonical), request)
    signed = auth.signed_headers(auth.headers_to_sign(request))
    return f"AWS4-HMAC-SHA256 Credential={auth.scope(request)}, SignedHeaders={signed}, Signature={signature}"


@given(_keys)
def test_a_path_keeps_the_unreserved_and_escapes_the_rest_as_utf8(key: str) -> None:
    assert quoted_path(f"/b/{key}") == quote(f"/b/{key}", safe="/-_.~")


def test_the_example_of_the_s3_manual_comes_out() -> None:
    """PutObject of "test$file.text", from Amazon's page on signatures in the header."""
    signer = Signer(
        Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        "us-east-1",
        clock=datetime(2013, 5, 24, tzinfo=UTC).timestamp,
    )
    address = Address("examplebucket.s3.amazonaws.com", 80, "examplebucket.s3.amazonaws.com", "/")
    body = b"Welcome to Amazon S3."
    fixed = {"date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"}
    form = Form("PUT", signer, address, fixed)
    head = form.fill(quoted_path("/test$file.text"), "", (), hashlib.sha256(body).hexdigest(), len(body))
    assert _authorization(head).endswith("Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")


def test_at_midnight_the_date_and_the_scope_change_together() -> None:
    now = [MIDNIGHT - 1]
    signer = Signer(Keys("AK", "secret"), "us-east-1", clock=lambda: now[0])
    form = Form("PUT", signer, Address("h", 80, "h", "/"), {})
    before = form.fill("/k", "", (), EMPTY_SHA256, 0)
    now[0] += 1
    after = form.fill("/k", "", (), EMPTY_SHA256, 0)
    assert b"x-amz-date: 20261126T235959Z" in before
    assert b"Credential=AK/20261126/" in before
    assert b"x-amz-date: 20261127T000000Z" in after
    assert b"Credential=AK/20261127/" in after
    fresh = Signer(Keys("AK", "secret"), "us-east-1", clock=lambda: MIDNIGHT)
    assert after == Form("PUT", fresh, Address("h", 80, "h", "/"), {}).fill("/k", "", (), EMPTY_SHA256, 0)


def test_the_clock_of_the_store_is_gone_by() -> None:
    signer = Signer(Keys("AK", "secret"), "us-east-1", clock=lambda: MIDNIGHT)
    assert signer.amz_date() == "20261127T000000Z"
    signer.skew = -1200
    assert signer.amz_date() == "20261126T234000Z"


def test_a_secret_is_never_told_by_printing() -> None:
    assert "secret" not in repr(Keys("AKIDEXAMPLE", "secret", "token"))
    assert "token" not in repr(Keys("AKIDEXAMPLE", "secret", "token"))
