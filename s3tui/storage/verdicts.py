"""What S3's answers mean: which error of our tree, why in words, and what to do about it. Standard library only.

A sentence reads "OPERATION TARGET failed: CAUSE. NEXT STEP." Every way to S3 builds its errors here, so they read and act the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from s3tui.errors import (
    AccessDenied,
    BucketNotFound,
    CredentialsError,
    CredentialsExpired,
    EndpointUnreachable,
    ObjectExists,
    StorageError,
    Throttled,
)
from s3tui.text import display_text


class Verdict(NamedTuple):
    """What an answer means: which error, why in words, and what to do about it."""

    kind: type[StorageError]
    cause: str
    step: str
    reason: str = ""
    retryable: bool = False
    fatal: bool = False


_KEYS = "Check the access key, the secret and the session token."
SIGN_IN = "Sign in again, or give new credentials; the job can then be resumed."
_WAIT = "Try again later, or lower --concurrency."
AGAIN = "Try again; if it stays so, look at the store."

_DENIED = Verdict(AccessDenied, "the store refuses access", "Allow these credentials to do it, or use others.")
_BAD_BUCKET = Verdict(
    StorageError, "the store takes no such name for a bucket", "Check the name of the bucket.", "bad_bucket_name", fatal=True
)
_NO_BUCKET = Verdict(BucketNotFound, "there is no such bucket", "Create it, or check its name and the endpoint.")
_THROTTLED = Verdict(Throttled, "the store asks for fewer requests", _WAIT, retryable=True)
_TROUBLE = Verdict(StorageError, "the store is in trouble", AGAIN, "server_error", retryable=True)
_LOST = Verdict(StorageError, "the connection broke off", AGAIN, "connection", retryable=True)
_WRONG_REGION = Verdict(StorageError, "the bucket is in another region", "Set --region to it.", "wrong_region", fatal=True)
_UNKNOWN_KEY = Verdict(CredentialsError, "the store does not know the access key", _KEYS)
_EXPIRED = Verdict(CredentialsExpired, "the credentials have expired", SIGN_IN)
_BAD_TOKEN = Verdict(CredentialsError, "the session token is not valid", SIGN_IN)
_MANGLED = Verdict(StorageError, "the store received other bytes than were sent", AGAIN, "bad_digest", retryable=True)
_SLOW_BODY = Verdict(StorageError, "the store waited too long for the body", "Lower --concurrency.", "timeout", retryable=True)

_BY_CODE = {
    "AccessDenied": _DENIED,
    "AllAccessDisabled": _DENIED,
    "AccountProblem": _DENIED,
    "InvalidAccessKeyId": _UNKNOWN_KEY,
    "SignatureDoesNotMatch": Verdict(CredentialsError, "the secret does not belong to the access key", _KEYS),
    "AuthorizationHeaderMalformed": _WRONG_REGION,
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "TokenRefreshRequired": _EXPIRED,
    "RequestExpired": _EXPIRED,
    "InvalidToken": _BAD_TOKEN,
    "InvalidClientTokenId": _BAD_TOKEN,
    "NoSuchBucket": _NO_BUCKET,
    "InvalidBucketName": _BAD_BUCKET,
    "PermanentRedirect": _WRONG_REGION,
    "IllegalLocationConstraintException": _WRONG_REGION,
    "PreconditionFailed": Verdict(ObjectExists, "the key is taken", "Use --if-exists overwrite, or another prefix."),
    "ConditionalRequestConflict": Verdict(
        StorageError, "another request was writing the same key", "Try again.", "conflict", retryable=True
    ),
    "SlowDown": _THROTTLED,
    "ServiceUnavailable": _THROTTLED,
    "Throttling": _THROTTLED,
    "ThrottlingException": _THROTTLED,
    "RequestLimitExceeded": _THROTTLED,
    "TooManyRequests": _THROTTLED,
    "InternalError": _TROUBLE,
    "OperationAborted": _TROUBLE,
    "RequestTimeout": _SLOW_BODY,
    "BadDigest": _MANGLED,
    "InvalidDigest": _MANGLED,
    "XAmzContentSHA256Mismatch": _MANGLED,
    "XAmzContentChecksumMismatch": _MANGLED,
    "IncompleteBody": _LOST,
    "RequestTimeTooSkewed": Verdict(
        StorageError,
        "the clock of this machine differs too much from the store's",
        "Set the clock; `s3tui status s3://BUCKET` shows how far it is off.",
        "clock_skew",
        fatal=True,
    ),
    "KeyTooLongError": Verdict(StorageError, "the key is too long", "Shorten the path, or the prefix.", "key_too_long"),
    "EntityTooLarge": Verdict(StorageError, "the object is larger than the store takes", "Split the file.", "too_large"),
    "QuotaExceeded": Verdict(StorageError, "the quota of the store is used up", "Free some space there.", "quota"),
}

_BY_STATUS = {
    301: _WRONG_REGION,
    403: _DENIED,
    412: _BY_CODE["PreconditionFailed"],
    429: _THROTTLED,
    503: _THROTTLED,
}

_RIGHTS = {
    "HeadBucket": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "ListParts": "s3:ListMultipartUploadParts",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "HeadObject": "s3:GetObject",
    "GetObject": "s3:GetObject",
    "DeleteObject": "s3:DeleteObject",
    **dict.fromkeys(("PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"), "s3:PutObject"),
}
"""What a policy has to allow for an operation."""

_FIELD = re.compile(rb"<(Code|Message|Region|Endpoint)>([^<]*)</")
_TLS_NOISE = re.compile(r"SSL validation failed for \S+|\[SSL: \w+\]|\(_ssl\.c:\d+\)")
"""What OpenSSL and the SDK say around the cause."""
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}


class Said(NamedTuple):
    """What an error answer says of itself; empty where it says nothing."""

    code: str = ""
    message: str = ""
    region: str = ""
    endpoint: str = ""


def read_error(body: bytes, headers: Mapping[str, str]) -> Said:
    """The fields of S3's error document, and of the headers (in lower case) that may name the region."""
    fields = {name.decode().lower(): _unescaped(text) for name, text in _FIELD.findall(body[: 64 << 10])}
    fields["region"] = fields.get("region") or headers.get("x-amz-bucket-region", "")
    return Said(**fields)


def refused(what: str, status: int, said: Said) -> StorageError:
    """The store answered with an error. `what` is `OPERATION TARGET`, perhaps with ` from SOURCE`."""
    verdict = _BY_CODE.get(said.code) or _BY_STATUS.get(status) or (_TROUBLE if status >= 500 else None)
    if verdict is None:
        message = display_text(said.message)[:300].rstrip(".")
        words = f"the store answered {display_text(said.code) or status}" + (f", {message}" if message else "")
        verdict = Verdict(StorageError, words, "Check the options of the job against what the store supports.", "refused")
    if verdict is _WRONG_REGION and said.region:
        shown = display_text(said.region)
        verdict = verdict._replace(cause=f"the bucket is in the region {shown}", step=f"Use --region {shown}.")
    if verdict is _DENIED and (right := _RIGHTS.get(what.partition(" ")[0])):
        verdict = verdict._replace(step=f"Allow these credentials {right}, or use others.")
    return _error(verdict, what, said.code, status)


def broken_off(what: str, code: str) -> StorageError:
    """The connection ended before the answer did; `code` names how."""
    return _error(_LOST, what, code, 0)


def silent(what: str, endpoint: str) -> StorageError:
    """The endpoint took the request, and then nothing moved for too long."""
    cause = f"{endpoint} took the request and did not answer in time"
    return StorageError(f"{what} failed: {cause}. {AGAIN}", code="ReadTimeout", reason="timeout", retryable=True)


def unreachable(what: str, endpoint: str, code: str, cause: str = "") -> EndpointUnreachable:
    """Nothing answers at the endpoint; `cause` says how that showed."""
    why = f" ({display_text(cause).rstrip('.')[:300]})" if cause else ""
    step = "Check the endpoint, the network and any proxy."
    return EndpointUnreachable(f"{what} failed: nothing answers at {endpoint}{why}. {step}", code=code, retryable=True)


def no_tls(what: str, endpoint: str, cause: str, *, hopeless: bool = False) -> EndpointUnreachable:
    """TLS cannot be set up. Fatal when it is `hopeless`: nobody vouches for the certificate, or no TLS is spoken."""
    why, step = f"TLS with {endpoint} cannot be set up", "If the certificate is your own, name its authority in AWS_CA_BUNDLE."
    if "CERTIFICATE_VERIFY_FAILED" in cause:
        why, hopeless = f"the certificate of {endpoint} is not trusted", True
    elif "WRONG_VERSION_NUMBER" in cause:
        why, hopeless = f"what answers at {endpoint} does not speak TLS", True
        step = "Write the endpoint with http://, or name the port that speaks TLS."
    said = _TLS_NOISE.sub("", display_text(cause)).strip().rstrip(".")[:300]
    error = EndpointUnreachable(f"{what} failed: {why} ({said}). {step}", code="SSLError", reason="tls", retryable=not hopeless)
    error.fatal = hopeless
    return error


def _error(verdict: Verdict, what: str, code: str, status: int) -> StorageError:
    named = " ".join(part for part in (str(status or ""), display_text(code) if code != str(status) else "") if part)
    sentence = f"{what} failed: {verdict.cause}{f' ({named})' if named else ''}. {verdict.step}"
    error = verdict.kind(sentence, code=code, status=status, reason=verdict.reason, retryable=verdict.retryable)
    error.fatal = verdict.fatal or error.fatal
    return error


def _unescaped(text: bytes) -> str:
    decoded = text.decode("utf-8", "replace")
    for entity, character in _ENTITIES.items():
        decoded = decoded.replace(entity, character)
    return decoded.strip()
