"""Secrets, kept out of all that is shown or written: logs, settings, sentences. Standard library only.

`shown_url` is for one URL that is known to be one. `masked` is for any text: it hides what looks like a secret, and the very values
that this process was told of by `hide`. Mask before text is escaped or quoted: a secret that was changed is not found again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

MASK = "********"

_LEAST = 6
"""Shorter secrets, like the `test` of a store on one's own machine, are words: hiding them would leave no sentence whole."""

# As far as the last @: a password that was not percent-encoded may hold anything.
_ACCOUNT_OF_URL = re.compile(r"(?<=://)([^:@/]*):(.*)@")
_ACCOUNT_IN_TEXT = re.compile(r"(?<=://)([^/@\s:]*):[^/\s]*@")
_TOKEN_OF_HTTP = re.compile(r"(https?://)([^/@\s:]+)@")
"""Where a database has its user, a web address may have a token."""
_PASSWORD_IN_QUERY = re.compile(r"[?&](?:ssl)?password=([^&]*)", re.IGNORECASE)

_HEADER = re.compile(r"""(authorization["']?\s*[:=]\s*b?["']?)[^"'\r\n]+""", re.IGNORECASE)
_NAMED = re.compile(
    r"""((?:x-amz-(?:signature|security-token)|secret_?access_?key|session_?token|password)["']?\s*[:=]\s*b?["']?)[^\s&"',;)}\]]+""",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(r"(\bSignature=)[0-9a-fA-F]{64}")

_known: frozenset[str] = frozenset()
_any_known: re.Pattern[str] | None = None


def hide(secrets: Iterable[str]) -> None:
    """From now on, `masked` hides these values, too, unless they are as short as a word."""
    global _known, _any_known
    _known |= {secret for secret in secrets if len(secret) >= _LEAST}
    longest_first = sorted(_known, key=lambda secret: (-len(secret), secret))
    _any_known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


def masked(text: str) -> str:
    """The text without secrets."""
    if _any_known is not None:
        text = _any_known.sub(MASK, text)
    text = _TOKEN_OF_HTTP.sub(rf"\1{MASK}@", _ACCOUNT_IN_TEXT.sub(rf"\1:{MASK}@", text))
    text = _HEADER.sub(rf"\1{MASK}", text)
    text = _NAMED.sub(rf"\1{MASK}", text)
    return _SIGNATURE.sub(rf"\1{MASK}", text)


def shown_url(url: str) -> str:
    """The URL, or several separated by semicolons, without passwords; other text comes back as it is."""
    return ";".join(_shown_node(node) for node in url.split(";"))


def web_host(url: str) -> str:
    """A web address as far as its host: whoever knows the rest may hold the right to use it."""
    place, rest = re.match(r"((?:[^:/?#]+://)?[^/?#]*)(.*)", url, re.DOTALL).groups()  # type: ignore[union-attr]
    return shown_url(place) + (f"/{MASK}" if rest.strip("/") else rest)


def _shown_node(node: str) -> str:
    without_password = _ACCOUNT_OF_URL.sub(rf"\1:{MASK}@", node)
    return _NAMED.sub(rf"\1{MASK}", _TOKEN_OF_HTTP.sub(rf"\1{MASK}@", without_password))


def passwords_in(url: str) -> Iterator[str]:
    """What `shown_url` masks, as it is written and as it is meant."""
    for node in url.split(";"):
        accounts = [*_ACCOUNT_OF_URL.finditer(node), *_TOKEN_OF_HTTP.finditer(node)]
        found = [match[2] for match in accounts] + _PASSWORD_IN_QUERY.findall(node)
        for password in found:
            yield password
            yield unquote(password)
