"""Foreign exceptions of botocore and what is below it, translated once into our tree.

`translate` is the door: every request that botocore sends is sent inside it.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from awscrt.exceptions import AwsCrtError  # type: ignore[import-untyped, unused-ignore]
from botocore import exceptions as foreign
from botocore.parsers import ResponseParserError

from s3tui.errors import ConfigError, CredentialsError, CredentialsExpired, S3tuiError, StorageError
from s3tui.storage.verdicts import AGAIN, SIGN_IN, Said, broken_off, no_tls, refused, silent, unreachable
from s3tui.text import display_text

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
    """Send a request inside this, and read its answer; what goes wrong leaves as one of ours.

    `operation` is S3's own word (`PutObject`), `target` the object or bucket, `source` the local file, if there is one. Our own
    errors, also those that a body raised while it was read, pass as they are.
    """
    try:
        yield
    except S3tuiError:
        raise
    except (*_FOREIGN, KeyError) as error:
        ours = _within(error)
        if ours is not None:
            raise ours from None
        what = f"{operation} {display_text(target)}" + (f" from {display_text(source)}" if source is not None else "")
        raise (_unreadable(error, what) if isinstance(error, KeyError) else _translated(error, what)) from error


def _unreadable(error: KeyError, what: str) -> StorageError:
    """An answer whose end is missing is taken for a whole one by http.client, and misses fields."""
    sentence = f"{what} failed: the answer cannot be read (it has no {error.args[0]}). {AGAIN}"
    return StorageError(sentence, code="MalformedAnswer", reason="connection", retryable=True)


def _within(error: Exception) -> S3tuiError | None:
    """Our own error, where botocore wrapped what a body raised."""
    wrapped = getattr(error, "kwargs", {}).get("error")
    return wrapped if isinstance(wrapped, S3tuiError) else None


def _translated(error: Exception, what: str) -> S3tuiError:
    if isinstance(error, foreign.ClientError):
        return _answer(error, what)
    if isinstance(error, (*_NO_CREDENTIALS, *_SIGNED_OUT)):
        return _no_credentials(error, what)
    if isinstance(error, (foreign.SSLError, ssl.SSLError)):
        return no_tls(what, _endpoint(error), str(error))
    if isinstance(error, _UNREACHABLE):
        return unreachable(what, _endpoint(error), type(error).__name__, _socket_cause(error))
    if isinstance(error, foreign.ReadTimeoutError):
        return silent(what, _endpoint(error))
    if type(error) is foreign.HTTPClientError:  # the root of its kind: botocore did not know what to make of it
        cause = f"the request could not be sent ({_said(error)})"
        return StorageError(f"{what} failed: {cause}. {AGAIN}", code="HTTPClientError", reason="connection", retryable=True)
    if isinstance(error, _BROKEN):
        return broken_off(what, type(error).__name__)
    step = "Check the target, the endpoint and the region."
    return StorageError(f"{what} failed: {_said(error)}. {step}", code=type(error).__name__, reason="bad_request")


def _no_credentials(error: Exception, what: str) -> CredentialsError:
    if isinstance(error, _SIGNED_OUT):
        return CredentialsExpired(f"{what} failed: {_said(error)}. {SIGN_IN}", code=type(error).__name__)
    step = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or choose a profile with --profile."
    return CredentialsError(f"{what} failed: no usable credentials ({_said(error)}). {step}", code=type(error).__name__)


def _answer(error: foreign.ClientError, what: str) -> StorageError:
    answer: Any = error.response
    about, said = answer.get("ResponseMetadata", {}), answer.get("Error", {})
    region = said.get("Region") or about.get("HTTPHeaders", {}).get("x-amz-bucket-region", "")
    spoken = Said(str(said.get("Code") or ""), str(said.get("Message") or ""), str(region))
    return refused(what, int(about.get("HTTPStatusCode", 0)), spoken)


def _endpoint(error: Exception) -> str:
    """Scheme and host; the rest of an URL says nothing more, and may be long."""
    url = str(getattr(error, "kwargs", {}).get("endpoint_url", "the endpoint"))
    return display_text("/".join(url.split("/")[:3]))


def _socket_cause(error: Exception) -> str:
    """What the operating system said, if botocore and urllib3 wrapped that."""
    wrapped: Any = getattr(error, "kwargs", {}).get("error")
    cause = getattr(wrapped, "__cause__", None) or wrapped
    return cause.strerror if isinstance(cause, OSError) and cause.strerror else ""


def _said(error: Exception) -> str:
    return display_text(" ".join(str(error).split())).rstrip(".")[:300]


def unusable_settings(error: Exception) -> ConfigError | CredentialsError:
    """botocore could not even make a client of these settings, or found that the credentials they name are not to be had."""
    if isinstance(error, (*_NO_CREDENTIALS, *_SIGNED_OUT)):
        return _no_credentials(error, "GetCredentials of the AWS SDK")
    if isinstance(error, foreign.ProfileNotFound):
        name = display_text(str(getattr(error, "kwargs", {}).get("profile", "")))
        step = "Check the name given with --profile, AWS_PROFILE or aws.profile, or make it: `aws configure --profile NAME`."
        return ConfigError(f"There is no profile {name!r} in the AWS config files. {step}")
    return ConfigError(f"No connection to S3 can be set up: {_said(error)}. Check the profile, the region and the endpoint.")
