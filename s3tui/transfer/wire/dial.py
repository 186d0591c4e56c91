"""From a name to a connection: addresses of both families, each with a head start of a quarter second; then TLS.

Everything here happens once for a connection, so it is written for clarity, as coroutines. A store may have many addresses: new
connections begin at another one each time, and names are looked up again every few seconds.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import ssl
import time
from functools import cached_property
from pathlib import Path

_HEAD_START_SECONDS = 0.25
_NAME_SECONDS = 5.0
"""How long the addresses of a name are kept."""
_LOOKUP_SECONDS = 10.0
_CONNECT_SECONDS = 10.0
_HANDSHAKE_SECONDS = 10.0
_UNSENT = 512 << 10
"""Bytes that the system may keep of a connection before it sends them: to us they look sent, and they cannot be called back."""

SocketAddress = tuple[int, tuple[object, ...]]
"""Family, and what `connect` takes."""


class NoConnection(Exception):
    """Nothing answers; `str()` says how that showed."""


class NoTls(Exception):
    """Something answers and TLS with it fails; `str()` says why."""


class NoTrust(NoTls):
    """There is nothing to hold a certificate against: so it will stay."""


class Dialer:
    """Makes connections for one site."""

    def __init__(self, *, tls: bool, ca_bundle: str = "") -> None:
        self._tls = tls
        self._ca_bundle = ca_bundle
        self._known: dict[tuple[str, int], tuple[float, list[SocketAddress]]] = {}
        self._turn = itertools.count()
        self.opened = 0
        """Connections made so far."""

    async def connect(self, host: str, port: int) -> socket.socket:
        """A connected, non-blocking socket, with TLS if the site has it. Raises NoConnection, NoTls; OSError, too."""
        addresses = await self._addresses(host, port)
        if self._tls:
            _ = self._context  # who trusts nobody need not connect
        turn = next(self._turn) % len(addresses)
        connection = await _first_to_answer([*addresses[turn:], *addresses[:turn]])
        self.opened += 1
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)
        return await _secured(connection, self._context, host) if self._tls else connection

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return client_context(self._ca_bundle)

    async def _addresses(self, host: str, port: int) -> list[SocketAddress]:
        known = self._known.get((host, port))
        if known is not None and time.monotonic() - known[0] < _NAME_SECONDS:
            return known[1]
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_LOOKUP_SECONDS):
                found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError, TimeoutError) as error:
            raise NoConnection(f"the name {host} cannot be looked up") from error
        addresses = _interleaved([(entry[0], entry[4]) for entry in found])
        self._known[host, port] = (time.monotonic(), addresses)
        return addresses


def client_context(ca_bundle: str) -> ssl.SSLContext:
    """Verifies always. `ca_bundle`: a file or directory to trust instead of the system's. Raises NoTrust if it cannot be read."""
    try:
        if ca_bundle:
            is_directory = Path(ca_bundle).is_dir()
            context = ssl.create_default_context(
                cafile=None if is_directory else ca_bundle, capath=ca_bundle if is_directory else None
            )
        else:
            context = ssl.create_default_context()
            _trust_something(context)
    except (OSError, ssl.SSLError) as error:
        raise NoTrust(f"the certificates in {ca_bundle or 'the system'} cannot be read: {error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _trust_something(context: ssl.SSLContext) -> None:
    """Where the system has no certificates at all, as some Pythons on macOS, take those that came with botocore."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile or paths.capath:
        return
    from importlib.util import find_spec

    package = find_spec("botocore")
    if package is not None and package.origin is not None:
        context.load_verify_locations(Path(package.origin).with_name("cacert.pem"))


def _interleaved(addresses: list[SocketAddress]) -> list[SocketAddress]:
    """The two families in turn, the one that came first leading; each address once."""
    unique = list(dict.fromkeys(addresses))
    first = [address for address in unique if address[0] == unique[0][0]]
    second = [address for address in unique if address[0] != unique[0][0]]
    return [address for pair in itertools.zip_longest(first, second) for address in pair if address is not None]


async def _first_to_answer(addresses: list[SocketAddress]) -> socket.socket:
    """The first connection that is made; each address is tried a little later than the one before it, or when that has failed."""
    waiting = iter(addresses)
    trying: set[asyncio.Task[socket.socket]] = set()
    refusal: OSError | None = None
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            while True:
                following = next(waiting, None)
                if following is not None:
                    trying.add(asyncio.ensure_future(_connected(following)))
                elif not trying:
                    raise NoConnection(_why(refusal)) from refusal
                patience = _HEAD_START_SECONDS if following is not None else None
                done, trying = await asyncio.wait(trying, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    error = task.exception()
                    if error is None:
                        return task.result()
                    refusal = _refusal(error)
    except TimeoutError as error:
        raise NoConnection(f"no answer within {_CONNECT_SECONDS:.0f} seconds") from error
    finally:
        for task in trying:
            task.add_done_callback(_close_late)
            task.cancel()


def _refusal(error: BaseException) -> OSError:
    """What an address said, to go on with the next one; anything but a refusal is for the caller."""
    import errno

    if isinstance(error, OSError) and error.errno not in (errno.EMFILE, errno.ENFILE):
        return error
    raise error


def _why(refusal: OSError | None) -> str:
    return os.strerror(refusal.errno) if refusal is not None and refusal.errno else "no address answers"


def _close_late(task: asyncio.Task[socket.socket]) -> None:
    """A connection that was made although another one had won."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()


async def _connected(address: SocketAddress) -> socket.socket:
    family, where = address
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, where)
    except BaseException:
        connection.close()
        raise
    return connection


async def _secured(connection: socket.socket, context: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    try:
        secured = context.wrap_socket(connection, server_hostname=host, do_handshake_on_connect=False)
    except (OSError, ValueError) as error:
        connection.close()
        raise NoTls(str(error)) from error
    try:
        async with asyncio.timeout(_HANDSHAKE_SECONDS):
            while True:
                try:
                    secured.do_handshake()
                except ssl.SSLWantReadError:
                    await _until_ready(secured, writing=False)
                except ssl.SSLWantWriteError:
                    await _until_ready(secured, writing=True)
                else:
                    return secured
    except BaseException as error:
        secured.close()
        if isinstance(error, TimeoutError):
            raise NoTls(f"no handshake within {_HANDSHAKE_SECONDS:.0f} seconds") from error
        if isinstance(error, ssl.SSLError):
            raise NoTls(str(error)) from error
        if isinstance(error, OSError):
            raise NoConnection(error.strerror or str(error)) from error
        raise


async def _until_ready(connection: socket.socket, *, writing: bool) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    begin, end = (loop.add_writer, loop.remove_writer) if writing else (loop.add_reader, loop.remove_reader)
    begin(connection, _set_once, ready)
    try:
        await ready
    finally:
        end(connection)


def _set_once(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
