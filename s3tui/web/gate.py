"""Who may ask: the token, the cookie it becomes, and which Host and Origin are ours.

Whoever passes may do all that the user of this process may. So pages of other sites must not be able to ask in the name of a
browser that has the cookie (Origin), nor by a name of theirs that leads to this address (Host).
"""

from __future__ import annotations

import ipaddress
import secrets
from urllib.parse import SplitResult, urlsplit

from s3tui.errors import SpecError
from s3tui.listening import Place

_LEAST = 16
"""Characters of a token that somebody else has made."""


class Gate:
    """Tells who may pass. Comparisons of secrets take the same time whatever is wrong."""

    def __init__(self, place: Place, port: int, *, token: str = "", public_url: str = "") -> None:
        """`port` is the one that is listened at; without `token` a random one is made. Raises SpecError."""
        if token and (len(token) < _LEAST or not token.isascii()):
            raise SpecError(f"A token for `s3tui web` has at least {_LEAST} characters, all of ASCII: make a longer one.")
        public = _public(public_url)
        self._public_origin = f"{public.scheme}://{public.netloc}".lower() if public else None
        self._scheme = place.scheme
        self._names = {"localhost", place.known_as.lower(), public.hostname if public else None}
        self.token = token or secrets.token_urlsafe(32)
        """What is exchanged for the cookie."""
        self.session = secrets.token_urlsafe(32)
        """The value of the cookie. It changes with each start."""
        self.is_secure = (public.scheme if public else place.scheme) == "https"
        """Whether browsers come by TLS."""
        self.cookie = f"__Host-s3tui-{port}" if self.is_secure else f"s3tui-{port}"
        """The name of the cookie: browsers do not keep cookies of several ports apart."""

    def takes_token(self, token: str) -> bool:
        """Whether it is the token."""
        return _same(token, self.token)

    def takes_session(self, value: str | None) -> bool:
        """Whether it is the cookie's value."""
        return value is not None and _same(value, self.session)

    def takes_host(self, host: str) -> bool:
        """Whether a Host is one of this machine: a known name, or an address, which nobody's DNS can lead elsewhere."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self._names or _is_address(name)

    def takes_origin(self, origin: str, host: str) -> bool:
        """Whether an Origin is that of our own page, which was asked for at this Host."""
        return origin.lower() in {f"{self._scheme}://{host}".lower(), self._public_origin}


def _public(url: str) -> SplitResult | None:
    if not url:
        return None
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and parts.hostname and not parts.username and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise SpecError("--public-url must be like https://s3tui.example.org: a scheme and a host, perhaps a port, and no path.")
    return parts


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _same(given: str, secret: str) -> bool:
    return secrets.compare_digest(given.encode("utf-8", "surrogatepass"), secret.encode())
