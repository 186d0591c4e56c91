"""Where a server listens: its socket, its TLS, and what whoever opens it wider must know."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path

from s3tui.errors import ConfigError
from s3tui.text import display_text

_BACKLOG = 512
_EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - compared, not bound


@dataclass(frozen=True, slots=True)
class Place:
    """Where it listens."""

    host: str
    port: int
    """0: any that is free."""
    certificate: Path | None = None
    key: Path | None = None

    @property
    def scheme(self) -> str:
        """Of its addresses."""
        return "https" if self.certificate else "http"

    @property
    def known_as(self) -> str:
        """The name or address that others call it by: this machine's, if it listens at all of them."""
        return socket.gethostname() if self.host in _EVERYWHERE else self.host


def listen(place: Place, what: str) -> socket.socket:
    """A socket that takes connections; `what` begins the complaint. Raises ConfigError."""
    try:
        family = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((place.host, place.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        where = f"{display_text(place.host)} port {place.port}"
        raise ConfigError(
            f"{what} cannot listen at {where}: {error.strerror or error}. Choose another --port, or --host."
        ) from error


def no_tls(error: OSError) -> ConfigError:
    """The complaint about a certificate or key that cannot be used."""
    return ConfigError(f"TLS cannot be set up: {error.strerror or error}. Check --tls-cert and --tls-key.")


def warnings(place: Place, readable: str) -> list[str]:
    """What whoever starts it must know; `readable` is what others could read."""
    if place.certificate is not None or _is_loopback(place.host):
        return []
    return [
        f"Warning: {display_text(place.host)} can be reached from other machines, and without TLS whoever sees the traffic can "
        f"read {readable}. Give --tls-cert and --tls-key, or put a proxy that speaks TLS before it."
    ]


def url_of(scheme: str, host: str, port: int) -> str:
    """The address of a server, without a path."""
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
