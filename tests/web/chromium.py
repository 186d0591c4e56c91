"""A page in headless Chromium, driven by the protocol of its developer tools."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import ClientSession, ClientWebSocketResponse

from tests.browser import browsing, find_browser
from tests.cli.command import SECONDS
from tests.waiting import wait_until
from tests.web.serving import Shown

_OPTIONS = ("--remote-debugging-port=0", "--window-size=1000,700", "--enable-unsafe-swiftshader")


class Tab:
    """The only tab of a browser."""

    def __init__(self, tools: ClientWebSocketResponse) -> None:
        self.shown = Shown(80, 24)
        """What the page's socket was sent, as a terminal shows it."""
        self.asked: list[str] = []
        """Addresses that the page has asked for."""
        self.complaints: list[str] = []
        """What the browser and the page's scripts had to say of it."""
        self._tools = tools
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def do(self, method: str, **parameters: object) -> dict[str, Any]:
        """Call the browser; returns its answer."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._tools.send_json({"id": number, "method": method, "params": parameters})
        return await asyncio.wait_for(answer, SECONDS)

    async def press(self, key: str) -> None:
        """Press a key of one character."""
        code = {"key": key, "text": key, "windowsVirtualKeyCode": ord(key.upper())}
        await self.do("Input.dispatchKeyEvent", type="keyDown", **code)
        await self.do("Input.dispatchKeyEvent", type="keyUp", **code)

    async def value(self, expression: str) -> object:
        """What an expression comes to in the page; None also while the page goes and another one comes."""
        answer = await self.do("Runtime.evaluate", expression=expression)
        return answer.get("result", {}).get("value")

    async def picture(self) -> bytes:
        """What people see, as a PNG."""
        return base64.b64decode((await self.do("Page.captureScreenshot"))["data"])

    async def until_painted(self, before: bytes) -> None:
        """Wait until people see something else."""
        async with asyncio.timeout(SECONDS):
            while await self.picture() == before:
                await asyncio.sleep(0.02)

    async def until(self, what: str) -> None:
        """Wait until an expression is true in the page."""
        async with asyncio.timeout(SECONDS):
            while not await self.value(what):
                await asyncio.sleep(0.02)

    async def until_seen(self, text: str) -> None:
        """Wait until a text is on the page's terminal."""
        try:
            async with asyncio.timeout(SECONDS):
                while text not in self.shown.text():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"{text!r} did not come; there was\n{self.shown.text()}\n{self.complaints}") from None

    async def listen(self) -> None:
        """Take what the browser tells, until it is gone."""
        async for message in self._tools:
            told = json.loads(message.data)
            if (answer := self._answers.pop(told.get("id"), None)) is not None and not answer.done():
                answer.set_result(told.get("result", {}))
            self._hear(told.get("method", ""), told.get("params", {}))

    def _hear(self, method: str, told: dict[str, Any]) -> None:
        match method:
            case "Network.requestWillBeSent":
                self.asked.append(told["request"]["url"])
            case "Network.webSocketCreated":
                self.asked.append(told["url"])
                size = parse_qs(urlsplit(told["url"]).query)
                self.shown.resize(int(size["width"][0]), int(size["height"][0]))
            case "Network.webSocketFrameReceived" if told["response"]["opcode"] == 2:
                self.shown.feed(base64.b64decode(told["response"]["payloadData"]))
            case "Network.webSocketFrameSent" if '"resize"' in (sent := told["response"]["payloadData"]):
                size = json.loads(sent)[1]
                self.shown.resize(size["width"], size["height"])
            case "Log.entryAdded":
                self.complaints.append(told["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(told["exceptionDetails"]))


@asynccontextmanager
async def opened(directory: Path) -> AsyncIterator[Tab]:
    """A browser with one empty tab."""
    with browsing(find_browser(), directory, "about:blank", *_OPTIONS) as browser:
        noted = directory / "profile" / "DevToolsActivePort"
        wait_until(lambda: (noted.exists() and "\n" in noted.read_text()) or browser.poll() is not None, SECONDS, "the browser")
        port = noted.read_text().split()[0]
        async with ClientSession() as client:
            async with client.get(f"http://127.0.0.1:{port}/json/list") as answer:
                (address,) = [one["webSocketDebuggerUrl"] for one in await answer.json() if one["type"] == "page"]
            async with client.ws_connect(address, max_msg_size=0) as tools:
                tab = Tab(tools)
                listening = asyncio.create_task(tab.listen())
                for area in ("Network", "Page", "Log", "Runtime"):
                    await tab.do(f"{area}.enable")
                try:
                    yield tab
                finally:
                    listening.cancel()
                    with suppress(asyncio.CancelledError):
                        await listening
