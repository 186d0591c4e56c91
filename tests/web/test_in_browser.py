"""What people see: the printed address in a real browser."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from tests.cli.command import Home
from tests.web.chromium import opened
from tests.web.serving import WebServer, until_gone


async def test_the_printed_address_opens_the_ui(home: Home, tmp_path: Path) -> None:
    with WebServer(home) as server:
        async with opened(tmp_path) as tab:
            await tab.do("Page.navigate", url=server.address)
            await tab.until_seen("No jobs yet. Press n to upload something.")
            assert await tab.value("location.href") == f"{server.url}/"
            assert await tab.value("document.cookie") == ""
            await tab.until("getComputedStyle(document.getElementById('terminal')).opacity === '1'")
            before = await tab.picture()
            (ui,) = server.user_interfaces()

            await tab.press("n")
            await tab.until_seen("New job")
            await tab.until_painted(before)
            assert {urlsplit(address).netloc for address in tab.asked if not address.startswith("data:")} == {server.host}
            assert not tab.complaints

            await tab.do("Page.navigate", url="about:blank")
            until_gone([ui])


async def test_the_page_says_that_its_session_has_ended_and_begins_another(home: Home, tmp_path: Path) -> None:
    with WebServer(home) as server:
        async with opened(tmp_path) as tab:
            await tab.do("Page.navigate", url=server.address)
            await tab.until_seen("No jobs yet.")
            (ui,) = server.user_interfaces()
            await tab.press("q")
            await tab.until("getComputedStyle(document.getElementById('closed')).display === 'block'")
            until_gone([ui])
            await tab.value("document.getElementById('again').click()")
            await tab.until("document.body.classList.contains('-first-byte') && !document.body.classList.contains('-closed')")
            assert server.user_interfaces()
