"""Foreign exceptions of boto3 and what is below it, translated once into our tree.

`translate` is the door: every request to S3 is sent inside it. A sentence reads "OPERATION TARGET failed: CAUSE. NEXT STEP."
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from awscrt.exceptions import AwsCrtError  # type: ignore[import-untyped, unused-ignore]
from botocore import exceptions as foreign
from botocore.parsers import ResponseParserError

from s3tui.errors import (
    AccessDenied,
    BucketNotFound,
    ConfigError,
    CredentialsError,
    EndpointUnreachable,
    ObjectExists,
    S3tuiError,
    StorageError,
    Throttled,
)
from s3tui.text import display_text


class _Verdict(NamedTuple):
    """What an answer means: which error, why in words, and what to do about it."""

    kind: type[StorageError]
    cause: str
    step: str
    reason: str = ""
    retryable: bool = False
    fatal: bool = False


_KEYS = "Check the access key, the secret and the session token."
_SIGN_IN = "Sign in again, or give new credentials; the job can then be resumed."
_WAIT = "Try again later, or lower --concurrency."
_AGAIN = "Try again; if it stays so, look at the store."

_DENIED = _Verdict(AccessDenied, "the store refuses access", "Allow these credentials to do it, or use others.")
_NO_BUCKET = _Verdict(BucketNotFound, "there is no such bucket", "Create it, or check its name and the endpoint.")
_THROTTLED = _Verdict(Throttled, "the store asks for fewer requests", _WAIT, retryable=True)
_TROUBLE = _Verdict(StorageError, "the store is in trouble", _AGAIN, "server_error", retryable=True)
_LOST = _Verdict(StorageError, "the connection broke off", _AGAIN, "connection", retryable=True)
_WRONG_REGION = _Verdict(StorageError, "the bucket is in another region", "Set --region to it.", "wrong_region", fatal=True)
_UNKNOWN_KEY = _Verdict(CredentialsError, "the store does not know the access key", _KEYS)
_EXPIRED = _Verdict(CredentialsError, "the credentials have expired", _SIGN_IN)
_BAD_TOKEN = _Verdict(CredentialsError, "the session token is not valid", _SIGN_IN)
_MANGLED = _Verdict(StorageError, "the store received other bytes than were sent", _AGAIN, "bad_digest", retryable=True)
_SLOW_BODY = _Verdict(StorageError, "the store waited too long for the body", "Lower --concurrency.", "timeout", retryable=True)

_BY_CODE = {
    "AccessDenied": _DENIED,
    "AllAccessDisabled": _DENIED,
    "AccountProblem": _DENIED,
    "InvalidAccessKeyId": _UNKNOWN_KEY,
    "SignatureDoesNotMatch": _Verdict(CredentialsError, "the secret does not belong to the access key", _KEYS),
    "AuthorizationHeaderMalformed": _WRONG_REGION,
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "TokenRefreshRequired": _EXPIRED,
    "RequestExpired": _EXPIRED,
    "InvalidToken": _BAD_TOKEN,
    "InvalidClientTokenId": _BAD_TOKEN,
    "NoSuchBucket": _NO_BUCKET,
    "PermanentRedirect": _WRONG_REGION,
    "IllegalLocationConstraintException": _WRONG_REGION,
    "PreconditionFailed": _Verdict(ObjectExists, "the key is taken", "Use --if-exists overwrite, or another prefix."),
    "ConditionalRequestConflict": _Verdict(
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
    "RequestTimeTooSkewed": _Verdict(
        StorageError, "the clock of this machine differs too much from the store's", "Set the clock.", "clock_skew", fatal=True
    ),
    "KeyTooLongError": _Verdict(StorageError, "the key is too long", "Shorten the path, or the prefix.", "key_too_long"),
    "EntityTooLarge": _Verdict(StorageError, "the object is larger than the store takes", "Split the file.", "too_large"),
    "QuotaExceeded": _Verdict(StorageError, "the quota of the store is used up", "Free some space there.", "quota"),
}

_BY_STATUS = {
    301: _WRONG_REGION,
    403: _DENIED,
    412: _BY_CODE["PreconditionFailed"],
    429: _THROTTLED,
    503: _THROTTLED,
}

_NO_CREDENTIALS = (foreign.NoCredentialsError, foreign.PartialCredentialsError, foreign.CredentialRetrievalError)
_SIGNED_OUT = (foreign.SSOError, foreign.LoginError, foreign.TokenRetrievalError, foreign.NoAuthTokenError)
_UNREACHABLE = (foreign.EndpointConnectionError, foreign.ConnectTimeoutError, foreign.ProxyConnectionError)
_BROKEN = (
    foreign.ConnectionClosedError,
    foreign.ResponseStreamingError,
    foreign.IncompleteReadError,
    foreign.HTTPClientError,
    ResponseParserError,
    http.client.HTTPException,
    OSError,
)

_FOREIGN = (
    foreign.BotoCoreError,
    foreign.ClientError,
    AwsCrtError,
    ResponseParserError,
    http.client.HTTPException,
    OSError,
    ValueError,
)


@contextmanager
def translate(operation: str, target: str, source: bytes | None = None) -> Iterator[None]:
    """Send a request inside this; what goes wrong leaves as one of ours.

    `operation` is S3's own word (`PutObject`), `target` the object or bucket, `source` the local file, if there is one. Our own
    errors, also those that a body raised while it was read, pass as they are.
    """
    try:
        yield
    except S3tuiError:
        raise
    except _FOREIGN as error:
        ours = _within(error)
        if ours is not None:
            raise ours from None
        what = f"{operation} {display_text(target)}" + (f" from {display_text(source)}" if source is not None else "")
        raise _translated(error, what) from error


def _within(error: Exception) -> S3tuiError | None:
    """Our own error, where botocore wrapped what a body raised."""
    wrapped = getattr(error, "kwargs", {}).get("error")
    return wrapped if isinstance(wrapped, S3tuiError) else None


def _translated(error: Exception, what: str) -> S3tuiError:
    if isinstance(error, foreign.ClientError):
        return _answer(error, what)
    if isinstance(error, _NO_CREDENTIALS):
        step = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or choose a profile with --profile."
        return CredentialsError(f"{what} failed: no usable credentials ({_said(error)}). {step}", code=type(error).__name__)
    if isinstance(error, _SIGNED_OUT):
        return CredentialsError(f"{what} failed: {_said(error)}. {_SIGN_IN}", code=type(error).__name__)
    if isinstance(error, (foreign.SSLError, ssl.SSLError)):
        return _tls(error, what)
    if isinstance(error, _UNREACHABLE):
        step = "Check the endpoint, the network and any proxy."
        cause = f"nothing answers at {_endpoint(error)}"
        return EndpointUnreachable(f"{what} failed: {cause}. {step}", code=type(error).__name__, retryable=True)
    if isinstance(error, foreign.ReadTimeoutError):
        cause = f"{_endpoint(error)} took the request and did not answer in time"
        return StorageError(f"{what} failed: {cause}. {_AGAIN}", code="ReadTimeout", reason="timeout", retryable=True)
    if type(error) is foreign.HTTPClientError:  # the root of its kind: botocore did not know what to make of it
        cause = f"the request could not be sent ({_said(error)})"
        return StorageError(f"{what} failed: {cause}. {_AGAIN}", code="HTTPClientError", reason="connection", retryable=True)
    if isinstance(error, _BROKEN):
        return _error(_LOST, what, type(error).__name__, 0)
    step = "Check the target, the endpoint and the region."
    return StorageError(f"{what} failed: {_said(error)}. {step}", code=type(error).__name__, reason="bad_request")


def _answer(error: foreign.ClientError, what: str) -> StorageError:
    answer: Any = error.response
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    code = str(answer.get("Error", {}).get("Code", ""))
    message = display_text(str(answer.get("Error", {}).get("Message", "")))[:300]
    verdict = _BY_CODE.get(code) or _BY_STATUS.get(status) or (_TROUBLE if status >= 500 else None)
    if verdict is None:
        said = f"the store answered {display_text(code) or status}" + (f", {message.rstrip('.')}" if message else "")
        verdict = _Verdict(StorageError, said, "Check the options of the job against what the store supports.", "refused")
    if verdict is _WRONG_REGION:
        verdict = _region(verdict, answer)
    return _error(verdict, what, code, status)


def _region(verdict: _Verdict, answer: Any) -> _Verdict:  # noqa: ANN401 - botocore's own shapeless answer
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    region = answer.get("Error", {}).get("Region") or headers.get("x-amz-bucket-region")
    if not region:
        return verdict
    shown = display_text(str(region))
    return verdict._replace(cause=f"the bucket is in the region {shown}", step=f"Use --region {shown}.")


def _error(verdict: _Verdict, what: str, code: str, status: int) -> StorageError:
    named = " ".join(part for part in (str(status or ""), display_text(code) if code != str(status) else "") if part)
    sentence = f"{what} failed: {verdict.cause}{f' ({named})' if named else ''}. {verdict.step}"
    error = verdict.kind(sentence, code=code, status=status, reason=verdict.reason, retryable=verdict.retryable)
    error.fatal = verdict.fatal or error.fatal
    return error


def _tls(error: Exception, what: str) -> EndpointUnreachable:
    cause = f"TLS with {_endpoint(error)} cannot be set up ({_said(error)})"
    step = "If the certificate is your own, name its authority in AWS_CA_BUNDLE."
    untrusted = "CERTIFICATE_VERIFY_FAILED" in str(error)
    translated = EndpointUnreachable(f"{what} failed: {cause}. {step}", code="SSLError", reason="tls", retryable=not untrusted)
    translated.fatal = untrusted
    return translated


def _endpoint(error: Exception) -> str:
    """Scheme and host; the rest of an URL says nothing more, and may be long."""
    url = str(getattr(error, "kwargs", {}).get("endpoint_url", "the endpoint"))
    return display_text("/".join(url.split("/")[:3]))


def _said(error: Exception) -> str:
    return display_text(str(error)).rstrip(".")[:300]


def unusable_settings(error: Exception) -> ConfigError:
    """boto3 could not even make a client of these settings."""
    return ConfigError(f"No connection to S3 can be set up: {_said(error)}. Check the profile, the region and the endpoint.")
