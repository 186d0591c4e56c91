"""Connections: addresses that do not answer, certificates that nobody vouches for, ends without a farewell."""

from __future__ import annotations

import socket
import ssl
from contextlib import ExitStack
from pathlib import Path

import pytest

from s3tui.errors import EndpointUnreachable
from s3tui.transfer.wire.dial import NoConnection, SocketAddress, _first_to_answer, _interleaved
from tests.certificates import self_signed
from tests.scripted import Call, ScriptedServer
from tests.transfer.rides import MIB, filled
from tests.transfer.wire.conftest import OpenWire
from tests.transfer.wire.test_hazards import one, ride_on, take

pytestmark = pytest.mark.thorough(one_in=5)


def server_context(directory: Path, *, host: str = "127.0.0.1") -> tuple[ssl.SSLContext, Path]:
    """A context for a server, and the certificate that vouches for it."""
    certificate, key = self_signed(directory, host=host)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate


def test_bodies_of_all_sizes_arrive_over_tls_on_connections_that_are_kept(open_wire: OpenWire, tmp_path: Path) -> None:
    context, authority = server_context(tmp_path)
    contents = {"empty": b"", **{f"key-{no}": filled(no * 1000) for no in range(1, 100)}, "large": filled(9 * MIB)}
    with ScriptedServer(take, tls=context) as server:
        ride = ride_on(open_wire(server.url, ca_bundle=str(authority)), tmp_path, contents)
        assert len(ride.uploaded) == len(contents)
        assert {call.key: call.body for call in server.calls} == contents
        assert server.connections < len(contents)


def test_a_certificate_that_nobody_vouches_for_is_fatal(open_wire: OpenWire, tmp_path: Path) -> None:
    context, _ = server_context(tmp_path)
    with ScriptedServer(take, tls=context) as server:
        with pytest.raises(EndpointUnreachable, match="AWS_CA_BUNDLE") as raised:
            ride_on(open_wire(server.url), tmp_path, one())
        assert raised.value.fatal
        assert server.calls == []


def test_a_certificate_for_another_name_is_fatal(open_wire: OpenWire, tmp_path: Path) -> None:
    context, authority = server_context(tmp_path, host="127.0.0.9")
    with ScriptedServer(take, tls=context) as server:
        with pytest.raises(EndpointUnreachable, match=r"is not trusted \(certificate verify failed"):
            ride_on(open_wire(server.url, ca_bundle=str(authority)), tmp_path, one())
        assert server.calls == []


def test_a_bundle_that_cannot_be_read_is_a_sentence(open_wire: OpenWire, tmp_path: Path) -> None:
    with pytest.raises(EndpointUnreachable, match="cannot be read"):
        ride_on(open_wire("https://127.0.0.1:1", ca_bundle=str(tmp_path / "missing.pem")), tmp_path, one())


def test_a_server_that_speaks_no_tls_is_unreachable(open_wire: OpenWire, tmp_path: Path) -> None:
    with ScriptedServer(lambda call: call.hang_up()) as server, pytest.raises(EndpointUnreachable, match="TLS"):
        ride_on(open_wire(server.url.replace("http:", "https:")), tmp_path, {f"key-{no}": b"x" for no in range(20)}, max_attempts=1)


def test_an_answer_is_whole_even_if_tls_ends_without_a_farewell(open_wire: OpenWire, tmp_path: Path) -> None:
    def answer_and_vanish(call: Call) -> None:
        call.read_body()
        call.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        call.hang_up()  # which, of TLS, closes the socket alone

    context, authority = server_context(tmp_path)
    with ScriptedServer(answer_and_vanish, tls=context) as server:
        ride = ride_on(open_wire(server.url, ca_bundle=str(authority)), tmp_path, {f"key-{no}": b"x" for no in range(10)})
    assert {fact.attempts for fact in ride.uploaded.values()} == {1}


def test_a_name_that_nobody_knows_is_unreachable(open_wire: OpenWire, tmp_path: Path) -> None:
    with pytest.raises(EndpointUnreachable, match=r"nothing answers at http://nobody\.invalid"):
        ride_on(open_wire("http://nobody.invalid"), tmp_path, {f"key-{no}": b"x" for no in range(20)}, max_attempts=1)


async def test_an_address_that_swallows_connections_costs_a_quarter_second_not_the_job() -> None:
    with ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # what the backlog does not hold, the kernel leaves without an answer
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        good = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        addresses: list[SocketAddress] = [(socket.AF_INET, full.getsockname()), (socket.AF_INET, good.getsockname())]
        with await _first_to_answer(addresses) as connection:
            assert connection.getpeername() == good.getsockname()


async def test_addresses_that_refuse_are_gone_through_and_the_last_word_is_told() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(NoConnection, match="Connection refused"):
            await _first_to_answer([(socket.AF_INET, closed.getsockname())] * 2)


def test_the_two_families_take_turns() -> None:
    six, four = socket.AF_INET6, socket.AF_INET
    given: list[SocketAddress] = [(six, ("a", 1)), (six, ("b", 1)), (six, ("c", 1)), (four, ("d", 1)), (four, ("d", 1))]
    assert _interleaved(given) == [(six, ("a", 1)), (four, ("d", 1)), (six, ("b", 1)), (six, ("c", 1))]
