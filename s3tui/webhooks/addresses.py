"""Where a host's name leads, and whether that is an address of the public internet.

A notice goes to a URL that was configured, and its name leads wherever its owner wants: also to services of this machine, or of the
network around it, which trust whoever can reach them. So a name is resolved once, every address of it is judged, and the connection
goes to an address that was judged, not to the name.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

from s3tui.errors import WebhookError

Address = tuple[socket.AddressFamily, tuple[Any, ...]]
"""What `socket.socket` and its `connect` take."""

_MOST = 4
"""Addresses of one name that are tried."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(text: str) -> bool | None:
    """Whether this is an address of the public internet; None if it is a name and no address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return _is_public(_embedded(address))


def addresses_of(host: str, port: int, *, allow_private: bool) -> list[Address]:
    """Where to connect to, the preferred one first. Raises WebhookError, also if only one of them may not be connected to."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is no name of a host"
        raise WebhookError(f"The webhook's host {host} is not found: {cause}. Check webhook.url.") from error
    addresses: list[Address] = list(dict.fromkeys((family, where) for family, _type, _protocol, _name, where in found))
    for _family, (address, *_) in addresses:
        if not allow_private and not is_public(str(address)):
            where = "" if str(address) == host else f" leads to {address}, which"
            raise WebhookError(
                f"The webhook's host {host}{where} is no address of the public internet: nothing was sent. "
                "Set webhook.allow_private if it is the one you mean."
            )
    return addresses[:_MOST]


def _embedded(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address.is_site_local:
        return False
    return address.is_global and not (
        address.is_private or address.is_multicast or address.is_reserved or address.is_loopback or address.is_unspecified
    )
