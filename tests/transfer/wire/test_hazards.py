"""What hand-written HTTP must survive: each hazard with a server that brings it about."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from s3tui.errors import CredentialsExpired, StorageError
from s3tui.model import Policy
from s3tui.storage.keys import FixedKeys, Keys
from s3tui.transfer.engine import Control
from tests.scripted import Call, ScriptedServer, drip
from tests.servers import ACCESS_KEY, Store
from tests.transfer.rides import MIB, Ride, filled, transfers_of, written
from tests.transfer.wire.conftest import OpenWire
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=8)


def take(call: Call) -> None:
    """What a well-behaved store does."""
    if call.header("expect"):
        call.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    call.read_body()
    call.answer()


def ride_on(engine: object, directory: Path, contents: dict[str, bytes], **policy: object) -> Ride:
    """Carry some files to the bucket `bucket`."""
    return Ride(engine, transfers_of("bucket", written(directory, contents)), Policy(**policy)).carry()  # type: ignore[arg-type]


def one(key: str = "key", size: int = 10) -> dict[str, bytes]:
    return {key: filled(size)}


# Connections.


def test_connections_are_kept_and_no_more_are_made_than_transfers_in_flight(open_wire: OpenWire, tmp_path: Path) -> None:
    source = next(iter(written(tmp_path, {"x": b"x"}).values()))
    transfers = transfers_of("bucket", {f"key-{no}": source for no in range(300)})
    with ScriptedServer(take) as server:
        ride = Ride(open_wire(server.url), transfers, control=Control(7)).carry()
        assert len(ride.uploaded) == 300
        assert len(server.calls) == 300
        assert server.connections <= 7


@pytest.mark.parametrize("how", ["hang up", "reset"])
def test_a_connection_that_the_server_has_closed_meanwhile_costs_no_attempt(open_wire: OpenWire, tmp_path: Path, how: str) -> None:
    def close_the_second_request(call: Call) -> None:
        if call.turn == 1:
            call.hang_up() if how == "hang up" else call.reset()
        take(call)

    source = next(iter(written(tmp_path, {"x": b"x"}).values()))
    transfers = transfers_of("bucket", {f"key-{no}": source for no in range(20)})
    with ScriptedServer(close_the_second_request) as server:
        ride = Ride(open_wire(server.url), transfers, Policy(max_attempts=1), control=Control(1)).carry()
    assert [fact.attempts for fact in ride.uploaded.values()] == [1] * 20


def test_a_fresh_connection_that_breaks_counts_as_an_attempt(open_wire: OpenWire, tmp_path: Path) -> None:
    with ScriptedServer(lambda call: call.reset()) as server:
        ride = ride_on(open_wire(server.url), tmp_path, one(), max_attempts=2)
    assert (ride.failed[0].reason, ride.failed[0].attempts) == ("connection", 2)
    assert len(server.calls) == 2


def test_a_server_that_closes_after_each_answer_is_served_all_the_same(open_wire: OpenWire, tmp_path: Path) -> None:
    def answer_and_close(call: Call) -> None:
        call.read_body()
        call.answer(headers="Connection: close\r\n")
        call.hang_up()

    with ScriptedServer(answer_and_close) as server:
        ride = ride_on(open_wire(server.url), tmp_path, {f"key-{no}": b"x" for no in range(30)})
        assert {fact.attempts for fact in ride.uploaded.values()} == {1}
        assert server.connections >= 30


def test_an_endpoint_may_be_an_ipv6_address(open_wire: OpenWire, tmp_path: Path) -> None:
    import socket

    with ScriptedServer(take, family=socket.AF_INET6) as server:
        ride = ride_on(open_wire(server.url), tmp_path, one())
        assert set(ride.uploaded) == {0}
        assert server.calls[0].header("host") == f"[::1]:{server.port}"


# Answers before the body has left.


def test_a_refusal_while_the_body_is_sent_stops_it_and_ends_the_connection(open_wire: OpenWire, tmp_path: Path) -> None:
    def refuse_early(call: Call) -> None:
        if call.key == "refused":
            call.read_body(64 << 10)
            call.refuse(403, "AccessDenied")
            call.read_body(1 << 30)  # whatever comes still
            call.hang_up()
        take(call)

    with ScriptedServer(refuse_early) as server:
        engine = open_wire(server.url)
        refused = ride_on(engine, tmp_path, {"refused": filled(900 << 10)})
        assert (refused.failed[0].reason, refused.failed[0].attempts) == ("access_denied", 1)
        assert set(ride_on(engine, tmp_path, one("fine")).uploaded) == {0}
        assert server.of_key("fine")[0].peer != server.of_key("refused")[0].peer


def test_an_answer_that_a_reset_follows_is_still_read(open_wire: OpenWire, tmp_path: Path) -> None:
    def answer_and_leave(call: Call) -> None:
        call.refuse(403, "AccessDenied", headers="Connection: close\r\n")
        call.hang_up()  # with unread input: the kernel sends a reset

    with ScriptedServer(answer_and_leave) as server:
        ride = ride_on(open_wire(server.url), tmp_path, {"key": filled(900 << 10)}, max_attempts=3)
    assert {fact.reason for fact in ride.failed.values()} <= {"access_denied", "connection"}
    assert ride.failed[0].reason == "access_denied"


def test_a_large_object_asks_first_and_a_refusal_saves_its_body(open_wire: OpenWire, tmp_path: Path) -> None:
    def refuse_instead_of_continue(call: Call) -> None:
        assert call.header("expect") == "100-continue"
        call.refuse(403, "AccessDenied", headers="Connection: close\r\n")
        call.hang_up()

    with ScriptedServer(refuse_instead_of_continue) as server:
        ride = ride_on(open_wire(server.url), tmp_path, one(size=8 * MIB))
        assert ride.failed[0].reason == "access_denied"
        assert server.calls[0].body == b""


def test_any_number_of_preliminary_answers_is_skipped(open_wire: OpenWire, tmp_path: Path) -> None:
    def hint_and_continue(call: Call) -> None:
        call.send(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n")
        call.read_body()
        call.answer()

    with ScriptedServer(hint_and_continue) as server:
        ride = ride_on(open_wire(server.url), tmp_path, one(size=2 * MIB))
        assert set(ride.uploaded) == {0}
        assert server.calls[0].body == filled(2 * MIB)


def test_a_store_that_never_says_continue_is_asked_only_once(open_wire: OpenWire, tmp_path: Path) -> None:
    def never_continue(call: Call) -> None:
        call.read_body()
        call.answer()

    contents = {f"key-{no}": filled(2 * MIB) for no in range(4)}
    with ScriptedServer(never_continue) as server:
        transfers = transfers_of("bucket", written(tmp_path, contents))
        ride = Ride(open_wire(server.url), transfers, control=Control(1)).carry()
        assert len(ride.uploaded) == 4
        assert [bool(call.header("expect")) for call in server.calls] == [True, False, False, False]
        assert [call.body for call in server.calls] == list(contents.values())


# Answers that lie or are torn.


@pytest.mark.parametrize(
    "torn",
    [
        b"HTTP/1.1 200 OK\r\nContent-Len",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_a_torn_answer_is_no_success_and_is_asked_for_again(open_wire: OpenWire, tmp_path: Path, torn: bytes) -> None:
    def tear_the_first(call: Call) -> None:
        call.read_body()
        if call.peer == 0:
            call.send(torn)
            call.hang_up()
        call.answer()

    with ScriptedServer(tear_the_first) as server:
        ride = ride_on(open_wire(server.url), tmp_path, one())
    assert ride.uploaded[0].attempts == 2


def test_an_error_inside_a_success_of_complete_is_an_error(open_wire: OpenWire, tmp_path: Path) -> None:
    completes: list[Call] = []

    def hide_an_error(call: Call) -> None:
        call.read_body()
        if call.method == "PUT":
            call.answer()
        elif call.method == "HEAD":
            call.send(f'HTTP/1.1 200 OK\r\nContent-Length: {16 * MIB}\r\nETag: "done"\r\n\r\n'.encode())
        elif b"?uploads" in call.head:
            call.answer(body=b"<R xmlns='urn:x'><UploadId>id</UploadId></R>")
        else:
            completes.append(call)
            late = b"<Error><Code>InternalError</Code></Error>" if len(completes) == 1 else b"<R><ETag>&quot;done&quot;</ETag></R>"
            call.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for chunk in (b"\n", b"\n", late):
                call.send(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            call.send(b"0\r\n\r\n")

    with ScriptedServer(hide_an_error) as server:
        ride = ride_on(open_wire(server.url), tmp_path, one(size=16 * MIB))
    assert ride.uploaded[0].receipt.etag == "done"
    assert len(completes) == 2


# Silence.


def test_a_request_that_is_never_answered_is_given_up_and_the_others_go_on(open_wire: OpenWire, tmp_path: Path) -> None:
    hanging = threading.Event()

    def swallow_the_first(call: Call) -> None:
        call.read_body()
        if call.key == "silent" and not hanging.is_set():
            hanging.set()
            server.stopping.wait(60)
        call.answer()

    with ScriptedServer(swallow_the_first) as server:
        ride = ride_on(open_wire(server.url, patience=1), tmp_path, {"silent": b"x", **{f"key-{no}": b"y" for no in range(100)}})
        assert len(ride.uploaded) == 101
        assert ride.uploaded[0].attempts == 2
        assert server.of_key("silent")[0].peer != server.of_key("silent")[1].peer


def test_a_hundred_silent_requests_end_as_a_hundred_failures(open_wire: OpenWire, tmp_path: Path) -> None:
    def say_nothing(call: Call) -> None:
        server.stopping.wait(60)

    with ScriptedServer(say_nothing) as server:
        ride = ride_on(open_wire(server.url, patience=1), tmp_path, {f"key-{no}": b"x" for no in range(100)}, max_attempts=1)
    assert {fact.reason for fact in ride.failed.values()} == {"timeout"}
    assert len(ride.failed) == 100
    assert "did not answer in time" in ride.failed[0].error


def test_a_slow_reader_holds_nobody_up(open_wire: OpenWire, tmp_path: Path) -> None:
    finished = threading.Event()

    def read_one_slowly(call: Call) -> None:
        if call.key == "slow":
            drip(call, rate=MIB, stop=finished)
        else:
            take(call)

    contents = {"slow": filled(900 << 10), **{f"key-{no}": b"x" for no in range(200)}}
    with ScriptedServer(read_one_slowly) as server:
        transfers = transfers_of("bucket", written(tmp_path, contents))
        ride = Ride(open_wire(server.url, patience=5), transfers, control=Control(4))
        thread = ride.start()
        wait_until(lambda: len(ride.uploaded) == 200, what="all but the slow one")
        finished.set()
        thread.join()
    assert ride.raised is None
    assert len(ride.uploaded) == 201


# Stores that ask for something.


def test_retry_after_is_obeyed_by_all(open_wire: OpenWire, tmp_path: Path) -> None:
    began: list[float] = []

    def ask_for_a_second(call: Call) -> None:
        call.read_body()
        began.append(time.monotonic())
        if len(began) == 1:
            call.refuse(503, "SlowDown", headers="Retry-After: 1\r\n")
        else:
            call.answer()

    with ScriptedServer(ask_for_a_second) as server:
        transfers = transfers_of("bucket", written(tmp_path, {f"key-{no}": b"x" for no in range(10)}))
        ride = Ride(open_wire(server.url), transfers, control=Control(1)).carry()
    assert len(ride.uploaded) == 10
    assert began[1] - began[0] >= 1


def test_a_store_that_refuses_four_of_five_gets_all_files_in_time(open_wire: OpenWire, tmp_path: Path) -> None:
    def mostly_refuse(call: Call) -> None:
        call.read_body()
        if len(server.of_key(call.key)) % 5:
            call.refuse(503, "SlowDown")
        else:
            call.answer()

    with ScriptedServer(mostly_refuse) as server:
        ride = ride_on(open_wire(server.url), tmp_path, {f"key-{no}": b"x" for no in range(20)}, max_attempts=5)
    assert len(ride.uploaded) == 20


def test_a_clock_that_is_wrong_is_learnt_from_the_store(open_wire: OpenWire, tmp_path: Path) -> None:
    ahead = 20 * 60

    def compare_clocks(call: Call) -> None:
        call.read_body()
        theirs = time.time() + ahead
        if call.header("x-amz-date") < time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(theirs - 900)):
            call.refuse(403, "RequestTimeTooSkewed", headers=f"Date: {formatdate(theirs, usegmt=True)}\r\n")
        else:
            call.answer()

    with ScriptedServer(compare_clocks) as server:
        transfers = transfers_of("bucket", written(tmp_path, {f"key-{no}": b"x" for no in range(20)}))
        ride = Ride(open_wire(server.url), transfers, Policy(max_attempts=1), control=Control(1)).carry()
        assert [fact.attempts for fact in ride.uploaded.values()] == [1] * 20
        assert len(server.calls) == 21


def test_a_clock_that_stays_wrong_fails_the_job_with_a_sentence(open_wire: OpenWire, tmp_path: Path) -> None:
    def always_refuse(call: Call) -> None:
        call.read_body()
        call.refuse(403, "RequestTimeTooSkewed", headers=f"Date: {formatdate(usegmt=True)}\r\n")

    with ScriptedServer(always_refuse) as server, pytest.raises(StorageError, match="Set the clock"):
        ride_on(open_wire(server.url), tmp_path, one())


@pytest.mark.parametrize(
    ("status", "code", "headers", "more"),
    [
        (301, "PermanentRedirect", "x-amz-bucket-region: eu-west-3\r\nLocation: http://elsewhere.example/\r\n", ""),
        (400, "AuthorizationHeaderMalformed", "", "<Region>eu-west-3</Region>"),
    ],
)
def test_a_bucket_in_another_region_moves_the_whole_job_there(
    open_wire: OpenWire, tmp_path: Path, status: int, code: str, headers: str, more: str
) -> None:
    def want_paris(call: Call) -> None:
        call.read_body()
        if "/eu-west-3/s3/" in call.header("authorization"):
            call.answer()
        else:
            call.refuse(status, code, headers=headers, more=more)

    with ScriptedServer(want_paris) as server:
        transfers = transfers_of("bucket", written(tmp_path, {f"key-{no}": b"x" for no in range(20)}))
        ride = Ride(open_wire(server.url), transfers, Policy(max_attempts=1), control=Control(1)).carry()
        assert [fact.attempts for fact in ride.uploaded.values()] == [1] * 20
        assert len(server.calls) == 21


def test_a_region_that_is_never_right_is_fatal(open_wire: OpenWire, tmp_path: Path) -> None:
    def never(call: Call) -> None:
        call.read_body()
        call.refuse(400, "AuthorizationHeaderMalformed", more="<Region>eu-west-3</Region>")

    with ScriptedServer(never) as server, pytest.raises(StorageError, match="eu-west-3"):
        ride_on(open_wire(server.url), tmp_path, one())


@pytest.mark.parametrize("reads_first", [True, False])
def test_a_temporary_redirect_within_the_store_is_followed(open_wire: OpenWire, tmp_path: Path, reads_first: bool) -> None:
    def redirect_twice(call: Call) -> None:
        if len(server.calls) > 2:
            take(call)
            return
        if reads_first:
            call.read_body()
        call.answer(307, headers=f"Location: {server.url}/bucket/key\r\nConnection: close\r\n")
        call.hang_up()

    with ScriptedServer(redirect_twice) as server:
        ride = ride_on(open_wire(server.url), tmp_path, one(size=5000), max_attempts=1)
        assert ride.uploaded[0].attempts == 1
        assert server.calls[2].body == filled(5000)


def test_redirects_that_lead_nowhere_end(open_wire: OpenWire, tmp_path: Path) -> None:
    def redirect(call: Call) -> None:
        call.read_body()
        call.answer(307, headers=f"Location: {server.url}/bucket/key\r\n")

    with ScriptedServer(redirect) as server:
        ride = ride_on(open_wire(server.url), tmp_path, one(), max_attempts=1)
        assert ride.failed[0].reason == "refused"
        assert len(server.calls) == 4


def test_a_redirect_to_a_stranger_is_not_followed(open_wire: OpenWire, tmp_path: Path) -> None:
    def redirect(call: Call) -> None:
        call.read_body()
        call.answer(307, headers=f"Location: http://localhost:{server.port}/bucket/key\r\n")

    with ScriptedServer(redirect) as server:
        ride = ride_on(open_wire(server.url), tmp_path, one(), max_attempts=1)
        assert ride.failed[0].reason == "refused"
        assert len(server.calls) == 1


# Keys.


class Rotating:
    """Implements `KeyRing`: gives the keys of a list, one after the other."""

    renews = True

    def __init__(self, *keys: Keys) -> None:
        self._keys = list(keys)
        self.asked = 0

    def current(self) -> Keys:
        """See `KeyRing`."""
        return self._keys[0]

    def renewed(self, worn: Keys) -> Keys:
        """See `KeyRing`."""
        self.asked += 1
        if len(self._keys) == 1:
            raise CredentialsExpired("There are no other keys. Sign in again.")
        self._keys.pop(0)
        return self._keys[0]


def _expired(call: Call, *access_keys: str) -> bool:
    return any(f"Credential={name}/" in call.header("authorization") for name in access_keys)


def test_expired_keys_are_renewed_without_an_attempt_and_the_token_is_signed(open_wire: OpenWire, tmp_path: Path) -> None:
    def refuse_old_keys(call: Call) -> None:
        call.read_body()
        call.refuse(400, "ExpiredToken") if _expired(call, "OLD", "OLDER") else call.answer()

    keys = Rotating(Keys("OLDER", "s1", "token-1"), Keys("OLD", "s2", "token-2"), Keys("NEW", "s3", "token-3"))
    with ScriptedServer(refuse_old_keys) as server:
        contents = {f"key-{no}": b"x" for no in range(200)}
        ride = ride_on(open_wire(server.url, keys=keys), tmp_path, contents, max_attempts=1)
        assert {fact.attempts for fact in ride.uploaded.values()} == {1}
        assert len(ride.uploaded) == 200
        assert keys.asked == 2
        last = server.calls[-1]
        assert last.header("x-amz-security-token") == "token-3"
        assert "x-amz-security-token" in last.header("authorization")


def test_keys_that_cannot_be_renewed_stop_the_run_and_leave_the_files_planned(open_wire: OpenWire, tmp_path: Path) -> None:
    def refuse_after_ten(call: Call) -> None:
        call.read_body()
        call.refuse(403, "ExpiredToken") if len(server.calls) > 10 else call.answer()

    with ScriptedServer(refuse_after_ten) as server:
        transfers = transfers_of("bucket", written(tmp_path, {f"key-{no}": b"x" for no in range(300)}))
        ride = Ride(open_wire(server.url, keys=Rotating(Keys("OLD", "s"))), transfers)
        with pytest.raises(CredentialsExpired, match="Sign in again"):
            ride.carry()
        assert ride.failed == {}
        assert 0 < len(ride.uploaded) <= 10
        assert len(server.calls) < 200


# The crew's process.


def test_a_crew_that_is_killed_is_succeeded_and_nothing_is_lost_or_failed(
    open_wire: OpenWire, rclone_store: Store, tmp_path: Path
) -> None:
    contents = {f"key-{no:03}": filled(100 + no) for no in range(400)}
    keys = FixedKeys(Keys(ACCESS_KEY, rclone_store.secret))
    engine = open_wire(rclone_store.url, keys=keys)
    killed: list[int] = []

    def kill_it(_: object) -> None:
        pid = engine.office.pid
        if len(killed) < 3 and pid not in killed:
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)

    transfers = transfers_of(rclone_store.bucket, written(tmp_path, contents))
    ride = Ride(engine, transfers, on_fact=kill_it).carry()
    assert len(killed) == 3
    assert len(ride.uploaded) == 400
    assert len(ride.facts) == 400
    assert rclone_store.contents() == contents


def test_a_crew_that_nobody_can_keep_alive_is_a_sentence(open_wire: OpenWire, tmp_path: Path) -> None:
    with ScriptedServer(lambda _: os.kill(engine.office.pid, signal.SIGKILL)) as server:
        engine = open_wire(server.url)
        with pytest.raises(StorageError, match="died again and again"):
            ride_on(engine, tmp_path, one())


def test_few_descriptors_make_it_slow_and_fail_nothing(rclone_store: Store, tmp_path: Path) -> None:
    files = written(tmp_path, {f"key-{no:03}": b"x" for no in range(300)})
    script = """
        import json, resource, sys
        from pathlib import Path
        resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))
        from s3tui.storage.keys import FixedKeys, Keys
        from s3tui.storage.site import site_of
        from s3tui.transfer.engine import Control
        from s3tui.transfer.wire.engine import WireEngine
        from s3tui.transfer.wire.office import Office
        from s3tui.transfer.wire.orders import Conduct
        from tests.transfer.rides import Ride, transfers_of
        url, access_key, secret, bucket, files = json.loads(sys.argv[1])
        office = Office(site_of(url, "us-east-1", virtual=False), FixedKeys(Keys(access_key, secret)), Conduct(("crc64nvme",)))
        ride = Ride(WireEngine(office), transfers_of(bucket, {k: Path(p) for k, p in files.items()}), control=Control(200)).carry()
        print(json.dumps([len(ride.uploaded), [fact.error for fact in ride.failed.values()]]))
    """
    place = [
        rclone_store.url,
        ACCESS_KEY,
        rclone_store.secret,
        rclone_store.bucket,
        {key: str(path) for key, path in files.items()},
    ]
    outcome = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), json.dumps(place)], capture_output=True, check=True, text=True, timeout=120
    )
    assert json.loads(outcome.stdout) == [300, []]
    assert len(rclone_store.contents()) == 300
