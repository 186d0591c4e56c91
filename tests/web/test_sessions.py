"""Sessions: a UI process for each page, ended with it, and never more of them than is allowed."""

from __future__ import annotations

import signal

import httpx
import pytest
from aiohttp import ClientSession, WSServerHandshakeError

from tests.cli.command import Home
from tests.web.serving import WebServer, environment_of, until_gone, words_of

pytestmark = pytest.mark.thorough(one_in=8)


async def test_a_page_shows_the_jobs_and_takes_keys(home: Home) -> None:
    with WebServer(home) as server:
        async with server.page() as page:
            await page.until_seen("Jobs")
            await page.press("?")
            await page.until_seen("Help")
            (ui,) = server.user_interfaces()
        until_gone([ui])


async def test_leaving_the_ui_closes_the_page(home: Home) -> None:
    with WebServer(home) as server:
        async with server.page() as page:
            await page.until_seen("Jobs")
            uis = server.user_interfaces()
            await page.press("q")
            await page.until_closed()
        until_gone(uis)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_the_end_of_the_server_is_that_of_its_uis(home: Home, number: int) -> None:
    with WebServer(home) as server:
        async with server.page() as first, server.page() as second:
            await first.until_seen("Jobs")
            await second.until_seen("Jobs")
            uis = server.user_interfaces()
            assert len(uis) == 2
            server.process.send_signal(number)
            await first.until_closed()
            await second.until_closed()
        assert server.process.wait(20) == 0
        until_gone(uis)


async def test_no_ui_outlives_a_server_that_was_killed(home: Home) -> None:
    with WebServer(home) as server:
        async with server.page() as page:
            await page.until_seen("Jobs")
            uis = server.user_interfaces()
            assert uis
            server.stop(signal.SIGKILL)
            until_gone(uis)


async def test_a_page_that_takes_nothing_more_keeps_no_ui(home: Home) -> None:
    with WebServer(home) as server:
        async with server.page() as page:
            await page.until_seen("Jobs")
            uis = server.user_interfaces()
            await page.press("?\x1b" * 20_000)  # paints far more than this end, which has stopped reading, can keep
        until_gone(uis)


async def test_more_sessions_than_allowed_are_refused(home: Home) -> None:
    with WebServer(home) as server:
        headers = server.cookie() | {"Origin": server.url}
        async with ClientSession(headers=headers) as client:
            open_ones = [await client.ws_connect(f"{server.url}/ws") for _ in range(8)]
            with pytest.raises(WSServerHandshakeError) as refused:
                await client.ws_connect(f"{server.url}/ws")
            assert refused.value.status == 503
            told = httpx.get(server.url, headers=headers)
            assert (told.status_code, told.text[:22]) == (503, "8 sessions are open, a")
            assert len(server.user_interfaces()) == 8
            assert len(open_ones) == 8


@pytest.mark.parametrize("message", ["", "{}", "[", '"stdin"', "[]", '["stdin"]', '["resize", {"width": 1e9}]', "[" * 50_000])
async def test_a_page_that_talks_nonsense_harms_nobody_else(home: Home, message: str) -> None:
    with WebServer(home) as server:
        async with server.page() as sane, server.page() as mad:
            await mad.socket.send_str(message)
            await sane.until_seen("Jobs")
            await sane.press("?")
            await sane.until_seen("Help")


async def test_the_ui_has_the_settings_of_the_command_and_not_its_token(home: Home) -> None:
    (home.work / "own.yaml").write_text("s3: {bucket_name: the-bucket}\n")
    (home.work / "own.env").write_text("S3_PREFIX=the-prefix/\n")
    home.environment["S3TUI_WEB_TOKEN"] = token = "a token of one's own: 100% &+#"
    words = [
        "--config",
        "own.yaml",
        "--env-file",
        "own.env",
        "--region",
        "eu-west-3",
        "--profile=p",
        "--endpoint-url=http://127.0.0.1:1",
    ]
    with WebServer(home, *words) as server:
        assert server.token == token
        async with server.page() as page:
            await page.until_seen("Jobs")
            (ui,) = server.user_interfaces()
            assert words_of(ui)[3:] == [
                *("--config", str(home.work / "own.yaml"), "--env-file", str(home.work / "own.env")),
                *("tui", "--endpoint-url=http://127.0.0.1:1", "--profile=p", "--region=eu-west-3"),
            ]
            assert token not in environment_of(ui).values()
            await page.press("n")
            await page.until_seen("s3://the-bucket/the-prefix/")


async def test_why_a_ui_does_not_start_is_shown(home: Home) -> None:
    (home.work / "config.yaml").write_text("ui: {fps: 4}\n")
    with WebServer(home) as server:
        (home.work / "config.yaml").write_text("ui: {fbs: 4}\n")
        async with server.page() as page:
            await page.until_closed()
            assert "There is no key 'ui.fbs'" in page.shown.text()
