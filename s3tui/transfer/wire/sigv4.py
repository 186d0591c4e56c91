"""Signature Version 4, as S3 takes it: a few microseconds for a request.

What makes it fast is what is kept: the key is derived once for a day and a region, the time is written out once a second, and of
the two hashes that HMAC begins with only copies are used.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Iterable

from s3tui.storage.keys import Keys

EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"

_ALGORITHM = "AWS4-HMAC-SHA256"
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_IN_PATH = _UNRESERVED | {ord("/")}
_is_plain = re.compile(r"[A-Za-z0-9\-._~/]*").fullmatch


class Signer:
    """Signs for one region with one set of keys. Not thread-safe.

    `skew` is what the store's clock shows more than ours, in seconds; it may be set at any time.
    """

    def __init__(self, keys: Keys, region: str, *, clock: Callable[[], float] = time.time) -> None:
        self.keys = keys
        self.region = region
        self.skew = 0.0
        self._clock = clock
        self._second = -1
        self._amz_date = ""
        self._day = ""
        self._scope = ""
        self._credential = ""
        self._inner = self._outer = hashlib.sha256()

    def amz_date(self) -> str:
        """Now, by the store's clock: the header `x-amz-date` of a request that is signed at once."""
        second = int(self._clock() + self.skew)
        if second != self._second:
            self._second = second
            self._amz_date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
            if self._amz_date[:8] != self._day:
                self._begin_day(self._amz_date[:8])
        return self._amz_date

    def authorization(self, signed: str, canonical: str) -> str:
        """The value of the header `Authorization` for a request that has the date which `amz_date` gave last.

        `signed`: names of the signed header fields in lower case, sorted, with semicolons between them. `canonical`: hexadecimal
        SHA-256 of the canonical request.
        """
        to_sign = f"{_ALGORITHM}\n{self._amz_date}\n{self._scope}\n{canonical}"
        return f"{self._credential}{signed}, Signature={self._hmac(to_sign.encode())}"

    def _begin_day(self, day: str) -> None:
        self._day = day
        self._scope = f"{day}/{self.region}/s3/aws4_request"
        self._credential = f"{_ALGORITHM} Credential={self.keys.access_key}/{self._scope}, SignedHeaders="
        key = f"AWS4{self.keys.secret}".encode()
        for text in (day, self.region, "s3", "aws4_request"):
            key = hmac.digest(key, text.encode(), "sha256")
        padded = key.ljust(64, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

    def _hmac(self, message: bytes) -> str:
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.hexdigest()


def quoted_path(path: str) -> str:
    """A path as it is sent and signed: UTF-8, everything escaped but RFC 3986's unreserved characters and the slash.

    S3 does not normalise: `a//b`, `./x` and `..` stay what they are.
    """
    if _is_plain(path):
        return path
    return "".join([chr(byte) if byte in _IN_PATH else f"%{byte:02X}" for byte in path.encode()])


def canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    """A query as it is sent and signed: names and values escaped, sorted; a name without a value keeps its `=`."""
    return "&".join(f"{name}={value}" for name, value in sorted((_quoted(name), _quoted(value)) for name, value in pairs))


def canonical_value(value: str) -> str:
    """A header's value as it is signed: no space at its ends, runs of space as one."""
    return " ".join(value.split())


def _quoted(text: str) -> str:
    return "".join([chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in text.encode()])
