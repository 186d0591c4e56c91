"""One attempt, against receivers that take, refuse, redirect, hang and lie."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from s3tui.errors import WebhookError
from s3tui.webhooks.options import WebhookOptions
from s3tui.webhooks.posting import Post
from s3tui.webhooks.signing import signed_headers
from tests.certificates import self_signed
from tests.scripted import Call, Script, ScriptedServer
from tests.waiting import wait_until

SECRET = "correct horse"
BODY = '{"type":"job.completed"}'


def post_to(url: str, *, allow_private: bool = True, seconds: float = 30) -> Post:
    options = WebhookOptions(url=url, secret=SecretStr(SECRET), allow_private=allow_private)
    return Post(options, version="0", seconds=seconds)


def take(call: Call) -> None:
    call.read_body()
    call.answer(204)


def context_for(directory: Path, host: str, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """TLS of a server whose certificate, for this host, is trusted."""
    certificate, key = self_signed(directory, host=host)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


def refusal(script: Script, seconds: float = 30) -> tuple[WebhookError, list[Call]]:
    """What becomes of an attempt that a receiver answers so."""
    with ScriptedServer(script) as receiver, pytest.raises(WebhookError) as refused:
        post_to(receiver.url, seconds=seconds).send("msg_1", BODY)
    return refused.value, receiver.calls


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_a_notice_is_posted_signed_and_taken(status: int) -> None:
    def script(call: Call) -> None:
        call.read_body()
        call.answer(status)

    with ScriptedServer(script) as receiver:
        post_to(f"{receiver.url}/hooks/x?y=1").send("msg_1", BODY)
        host = f"127.0.0.1:{receiver.port}"
    [call] = receiver.calls
    assert call.head.startswith(b"POST /hooks/x?y=1 HTTP/1.1\r\n")
    assert call.body.decode() == BODY
    assert call.header("content-type") == "application/json"
    assert call.header("user-agent") == "s3tui/0"
    assert call.header("host") == host
    expected = signed_headers(SECRET.encode(), "msg_1", int(call.header("webhook-timestamp")), BODY.encode())
    assert {name: call.header(name) for name in expected} == expected


def test_over_tls_the_receiver_is_verified_and_called_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []
    context = context_for(tmp_path, "localhost", monkeypatch)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    with ScriptedServer(take, tls=context) as receiver:
        post_to(f"https://localhost:{receiver.port}").send("msg_1", BODY)  # ::1 perhaps refuses before 127.0.0.1 takes it
        host = f"localhost:{receiver.port}"
    [call] = receiver.calls
    assert (asked, call.header("host")) == (["localhost"], host)


def test_a_certificate_of_another_name_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = context_for(tmp_path, "other.test", monkeypatch)
    with ScriptedServer(take, tls=context) as receiver, pytest.raises(WebhookError, match="its certificate is not trusted"):
        post_to(receiver.url).send("msg_1", BODY)
    assert receiver.calls == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433"])
def test_this_machine_is_not_connected_to_unless_it_is_allowed(host: str) -> None:
    with ScriptedServer(take) as receiver:
        with pytest.raises(WebhookError, match="no address of the public internet"):
            post_to(f"http://{host}:{receiver.port}/", allow_private=False).send("msg_1", BODY)
        assert receiver.connections == 0


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with ScriptedServer(take) as elsewhere:
        location = f"Location: {elsewhere.url}/\r\n"
        error, calls = refusal(lambda call: call.answer(status, headers=location))
        assert f"answered {status}, and redirects are not followed" in str(error)
        assert len(calls) == 1
        assert elsewhere.connections == 0


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(take) as proxy, ScriptedServer(take) as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        post_to(receiver.url).send("msg_1", BODY)
        assert (proxy.connections, receiver.connections) == (0, 1)


@pytest.mark.parametrize(
    ("status", "headers", "gone", "pause"),
    [
        (500, "", False, 0),
        (404, "", False, 0),
        (410, "", True, 0),
        (429, "Retry-After: 120\r\n", False, 120),
        (503, "Retry-After: soon\r\n", False, 0),
        (503, "Retry-After: -5\r\n", False, 0),
        (503, "Retry-After: Wed, 25 Nov 2015 07:28:00 +99999999999999999999\r\n", False, 0),
        (503, "Retry-After: 99999999999999999999\r\n", False, 999999999999),
        (503, "Retry-After: Wed, 25 Nov 2015 07:28:00 GMT\r\n", False, 0),
    ],
)
def test_a_refusal_tells_whether_and_when_to_come_again(status: int, headers: str, gone: bool, pause: float) -> None:
    error, _ = refusal(lambda call: call.answer(status, headers=headers))
    assert f"answered {status}." in str(error)
    assert (error.gone, error.pause) == (gone, pause)


def test_the_pause_may_be_a_date() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    error, _ = refusal(lambda call: call.answer(503, headers=f"Retry-After: {date}\r\n"))
    assert 3000 < error.pause <= 3600


def hang(call: Call) -> None:
    call.connection.recv(1)  # until it is hung up


def dribble(call: Call) -> None:
    """Begin an answer, by a byte now and then, and never come to the end of its first line."""
    call.send(b"HTTP/1.1 200 ")
    while True:
        call.send(b"x")
        call.connection.settimeout(0.01)
        try:
            if not call.connection.recv(1):
                return
        except TimeoutError:
            pass


@pytest.mark.parametrize("script", [hang, dribble])
def test_who_gives_no_answer_in_time_is_hung_up_on(script: Script) -> None:
    error, _ = refusal(script, seconds=0.3)
    assert "there was no answer within 0.3 seconds" in str(error)


def test_who_never_ends_a_handshake_is_hung_up_on() -> None:
    with ScriptedServer(hang) as receiver, pytest.raises(WebhookError, match=r"no answer within 0\.3 seconds"):
        post_to(receiver.url.replace("http:", "https:"), seconds=0.3).send("msg_1", BODY)


def test_a_success_counts_whatever_follows_it() -> None:
    def script(call: Call) -> None:
        call.read_body()
        call.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
        call.reset()

    with ScriptedServer(script) as receiver:
        post_to(receiver.url).send("msg_1", BODY)


def test_an_endless_body_is_not_read() -> None:
    def script(call: Call) -> None:
        call.read_body()
        call.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            call.send(b"x" * 65536)

    with ScriptedServer(script) as receiver:
        post_to(receiver.url).send("msg_1", BODY)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "it hung up without an answer"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "its answer cannot be read"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n", "its answer cannot be read"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, "its answer cannot be read"),
    ],
    ids=["nothing", "no-http", "many-fields", "a-long-field"],
)
def test_what_is_no_answer_is_told_so(answer: bytes, words: str) -> None:
    def script(call: Call) -> None:
        call.read_body()
        call.send(answer)
        call.hang_up()

    error, _ = refusal(script)
    assert words in str(error)


def test_a_port_where_nobody_listens_is_told() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(WebhookError, match="Connection refused"):
            post_to(f"http://127.0.0.1:{closed.getsockname()[1]}").send("msg_1", BODY)


def test_the_path_which_may_hold_a_secret_is_never_told() -> None:
    with ScriptedServer(lambda call: call.answer(500)) as receiver:
        post = post_to(f"{receiver.url}/services/hunter2?token=hunter3")
        with pytest.raises(WebhookError) as refused:
            post.send("msg_1", BODY)
    assert "hunter" not in str(refused.value) + post.place


def test_an_attempt_is_broken_off_from_another_thread_and_no_other_begins() -> None:
    told: list[str] = []
    with ScriptedServer(hang) as receiver:
        post = post_to(receiver.url)

        def attempt() -> None:
            with pytest.raises(WebhookError) as refused:
                post.send("msg_1", BODY)
            told.append(str(refused.value))

        thread = threading.Thread(target=attempt)
        thread.start()
        wait_until(lambda: receiver.calls, 30, "the request")
        post.break_off()
        thread.join()
        attempt()
        assert receiver.connections == 1
    assert all(text.endswith("was not told: this process ends.") for text in told)
    assert len(told) == 2
