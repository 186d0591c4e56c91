"""Who is let in, and who is not: a page that anybody may open must not be a door to this machine."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from aiohttp import ClientSession, WSServerHandshakeError

from s3tui.errors import SpecError
from s3tui.listening import Place
from s3tui.web.gate import Gate
from tests.certificates import self_signed
from tests.cli.command import Home, ended
from tests.web.serving import WebServer, words_of

pytestmark = pytest.mark.thorough(one_in=5)

PATHS = ["/", "/static/textual.js", "/static/page.css", "/ws", "/download/x", "/nothing"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A server, for all tests of this file that do not stop it."""
    with WebServer(Home(tmp_path_factory.mktemp("web") / "home")) as running:
        yield running


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_without_the_cookie_nothing_is_there(server: WebServer, method: str, path: str) -> None:
    answer = httpx.request(method, server.url + path)
    assert answer.status_code == 401
    assert answer.text == "This needs the token: open the address that `s3tui web` printed.\n"


@pytest.mark.parametrize("value", ["", "x", "{token}", "{cookie}x", "\u00e9"])
def test_another_cookie_is_none(server: WebServer, value: str) -> None:
    name, _, right = server.cookie()["Cookie"].partition("=")
    wrong = value.format(token=server.token, cookie=right)
    assert httpx.get(server.url, headers={b"Cookie": f"{name}={wrong}".encode()}).status_code == 401


@pytest.mark.parametrize("token", ["", "x", "%ff", "{}x", "{}&token={}"])
def test_a_wrong_token_opens_nothing(server: WebServer, token: str) -> None:
    answer = httpx.get(f"{server.url}/?token={token.format(server.token, 'x')}")
    is_right = token.startswith("{}&")  # of several the first counts
    assert (answer.status_code, "Set-Cookie" in answer.headers) == ((303, True) if is_right else (401, False))


def test_the_token_counts_only_where_it_is_exchanged(server: WebServer) -> None:
    for path in ("/ws", "/static/textual.js"):
        assert httpx.get(f"{server.url}{path}?token={server.token}").status_code == 401


def test_the_token_becomes_a_cookie_and_leaves_the_address(server: WebServer) -> None:
    answer = httpx.get(server.address)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    cookie, *attributes = answer.headers["Set-Cookie"].split("; ")
    assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=Strict"]
    assert server.token not in cookie
    page = httpx.get(server.url, headers=server.cookie())
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "token" not in page.text


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:80", "", "[::1"]
)
@pytest.mark.parametrize("path", ["/", "/static/page.js", "/?token={}"])
def test_a_name_that_leads_here_is_not_enough(server: WebServer, host: str, path: str) -> None:
    answer = httpx.get(server.url + path.format(server.token), headers=server.cookie() | {"Host": host})
    assert answer.status_code in ({400, 403} if not host else {403})
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "", "{scheme}://{host}.evil.example", "https://{host}", "http://127.0.0.1:1"]
)
def test_pages_of_other_origins_are_refused(server: WebServer, origin: str) -> None:
    foreign = origin.format(scheme="http", host=server.host)
    for path in ("/", "/ws", f"/?token={server.token}"):
        answer = httpx.get(server.url + path, headers=server.cookie() | {"Origin": foreign})
        assert (answer.status_code, "Set-Cookie" in answer.headers) == (403, False)


@pytest.mark.parametrize(
    ("with_cookie", "headers", "status"),
    [
        (False, {"Origin": "{url}"}, 401),
        (False, {}, 403),
        (True, {}, 403),
        (True, {"Origin": "http://evil.example"}, 403),
        (True, {"Origin": "http://localhost:1"}, 403),
        (True, {"Origin": "{url}", "Host": "evil.example"}, 403),
        (True, {"Origin": "http://evil.example", "Host": "evil.example"}, 403),
    ],
)
async def test_a_socket_needs_cookie_and_origin(
    server: WebServer, with_cookie: bool, headers: Mapping[str, str], status: int
) -> None:
    given = {name: value.format(url=server.url) for name, value in headers.items()} | (server.cookie() if with_cookie else {})
    async with ClientSession() as client:
        with pytest.raises(WSServerHandshakeError) as refused:
            await client.ws_connect(f"{server.url}/ws", headers=given)
    assert refused.value.status == status
    assert not server.user_interfaces()


@pytest.mark.parametrize("path", ["/", "/static/textual.js", "/nothing", "/static/..%2f..%2fgate.py", "/?token=wrong"])
def test_every_answer_is_locked_in(server: WebServer, path: str) -> None:
    headers = httpx.get(server.url + path, headers=server.cookie()).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "Server" not in headers


def test_everything_the_page_needs_is_here(server: WebServer) -> None:
    page = httpx.get(server.url, headers=server.cookie()).text
    needed = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(needed) == 6
    for address in needed:
        assert address == "data:," or httpx.get(server.url + address, headers=server.cookie()).status_code == 200


def test_no_secret_is_logged_nor_seen_by_ps(home: Home) -> None:
    home.environment["S3TUI_LOGGING__LEVEL"] = "DEBUG"
    with WebServer(home, "-vv") as server:
        session = server.cookie()["Cookie"].partition("=")[2]
        assert httpx.get(f"{server.url}/ws?token={server.token}").status_code == 401
        words = " ".join(words_of(server.process.pid))
        assert server.stop() == 0
    written = b"".join(path.read_bytes() for path in home.directory.rglob("*") if path.is_file()).decode(errors="replace")
    assert "Refused with 401: GET /ws" in written
    for secret in (server.token, session):
        assert not [text for text in (written, words, *server.said) if secret in text]


def test_a_weak_token_is_refused(home: Home) -> None:
    refused = home.run("web", "--port", "0", S3TUI_WEB_TOKEN="short")
    assert (refused.code, refused.stdout) == (1, "")
    assert refused.sentence == "s3tui: A token for `s3tui web` has at least 16 characters, all of ASCII: make a longer one."


def test_a_server_that_others_can_reach_says_so(home: Home) -> None:
    with WebServer(home, "--host", "0.0.0.0") as server:
        port = server.host.rpartition(":")[2]
        assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 401
        assert server.said[0].startswith("Warning: 0.0.0.0 can be reached from other machines, and without TLS")


def test_with_tls_the_cookie_travels_by_nothing_else(home: Home, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    with WebServer(home, "--tls-cert", str(certificate), "--tls-key", str(key)) as server:
        assert server.url.startswith("https://127.0.0.1:")
        answer = httpx.get(server.address, verify=ssl.create_default_context(cafile=certificate))
        assert answer.headers["Set-Cookie"].startswith("__Host-s3tui-")
        assert "Secure" in answer.headers["Set-Cookie"].split("; ")


def test_a_proxy_has_a_name_of_its_own(home: Home) -> None:
    with WebServer(home, "--public-url", "https://ui.example.org/") as server:
        assert server.url == "https://ui.example.org"


def test_a_port_that_is_taken_is_told(home: Home, server: WebServer) -> None:
    refused = home.run("web", "--port", server.host.rpartition(":")[2])
    assert refused.sentence.startswith("s3tui: The terminal UI in a browser cannot listen at 127.0.0.1 port")


def test_a_missing_library_is_named(home: Home) -> None:
    (home.work / "aiohttp.py").write_text("raise ModuleNotFoundError(\"No module named 'aiohttp'\", name='aiohttp')\n")
    refused = home.run("web")
    assert refused.code == 1
    assert "pip install 's3tui[web]'" in refused.sentence


def test_a_command_that_cannot_be_run_starts_nothing(home: Home) -> None:
    (home.work / "config.yaml").write_text("nonsense: 1\n")
    refused = ended(home.start("web", "--port", "0"))
    assert (refused.code, refused.stdout) == (1, "")


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("localhost:9000", True),
        ("LOCALHOST", True),
        ("127.0.0.1:9000", True),
        ("[::1]:9000", True),
        ("192.0.2.7", True),
        ("ui.example.org", True),
        ("ui.example.org.", False),
        ("example.org", False),
        ("user@evil.example", False),
        ("2130706433", False),
        ("", False),
    ],
)
def test_which_hosts_are_ours(host: str, is_ours: bool) -> None:
    gate = Gate(Place("127.0.0.1", 0), 8001, public_url="https://ui.example.org")
    assert gate.takes_host(host) is is_ours


def test_the_origin_may_be_the_proxys() -> None:
    gate = Gate(Place("127.0.0.1", 0), 8001, public_url="https://ui.example.org")
    assert gate.takes_origin("https://ui.example.org", "127.0.0.1:8001")
    assert not gate.takes_origin("http://ui.example.org", "127.0.0.1:8001")
    assert gate.is_secure


@pytest.mark.parametrize("url", ["ui.example.org", "ftp://ui", "https://", "https://ui/path", "https://a:b@ui", "https://ui:x"])
def test_a_public_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SpecError, match="--public-url must be like"):
        Gate(Place("127.0.0.1", 0), 8001, public_url=url)
