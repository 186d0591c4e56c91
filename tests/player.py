"""What people see of a video: hls.js in headless Chromium, which plays what a store has, and tells what came of it.

Where hls.js is missing, tests that need it are skipped at home, and fail in CI. It is the file that `HLS_JS`
names, or what `make player` has installed. No driver is needed: `player.html` plays by itself and posts what it saw.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest

from tests.browser import browsing, find_browser
from tests.missing import missing
from tests.servers import Store
from tests.waiting import wait_until

PAGE = Path(__file__).with_name("player.html")
_HLS_JS = Path(sys.prefix) / "player" / "node_modules" / "hls.js" / "dist" / "hls.min.js"
_SECONDS = 180
"""The page itself gives up when nothing moves for half a minute."""
_HARMLESS = {
    "bufferStalledError",  # a slow machine
    "aborted",  # what was on its way when the rung changed
    "bufferAppendNoProgress",  # hls.js counts wrong when sound has waited for the picture's clock
}
_START = 0.25
"""Seconds within which a hole is no fault: sound in MPEG-TS begins a frame before its pictures, and hls.js skips that."""
_SHORT = 0.25
"""Seconds that sound and picture may differ in length."""


@dataclass(frozen=True)
class Rung:
    """Sizes like `640x360`: which the master promises, and how many pictures of which were shown in the place of its segments.

    A few may be of the rung before, whose pictures were decoded already when the segment was replaced.
    """

    promised: str
    shown: dict[str, int]

    @property
    def mostly(self) -> str:
        """The size of most of its pictures; empty if it was not shown."""
        return max(self.shown, key=lambda size: self.shown[size], default="")


@dataclass(frozen=True)
class Run:
    """Once from the beginning to the end."""

    position: float
    """Where it ended, in seconds."""
    track: int
    """The chosen track of sound, -1 if there is no choice."""
    pictures: int
    """Decoded meanwhile."""
    sound: int
    """Bytes of sound that were decoded meanwhile."""
    corrupted: int


@dataclass(frozen=True)
class Cue:
    """A line of subtitles; times are seconds of the video."""

    language: str
    text: str
    start: float
    end: float


@dataclass(frozen=True)
class PlayerError:
    """What hls.js or the browser complained of."""

    details: str
    reason: str
    fatal: bool
    address: str
    """Of the segment or playlist, if it was about one."""
    run: int
    position: float
    """How far it had played then, in seconds."""


@dataclass(frozen=True)
class Seen:
    """All that the page tells."""

    position: float
    duration: float | None
    rungs: list[Rung]
    tracks: list[str]
    """Languages of the sound; empty if there is no choice."""
    subtitles: list[str]
    cues: list[Cue]
    runs: list[Run]
    errors: list[PlayerError]

    @classmethod
    def told(cls, text: bytes) -> Seen:
        """As the page posts it."""
        told: dict[str, Any] = json.loads(text)
        nouns = {"rungs": Rung, "cues": Cue, "runs": Run, "errors": PlayerError}
        lists = {name: [noun(**one) for one in told[name]] for name, noun in nouns.items()}
        return cls(**{**told, **lists})

    def faults(self, seconds: float) -> list[str]:
        """What was wrong with a video of this length that has sound, in sentences. None is good."""
        return [*self._complaints(), *self._unshown(), *self._unplayed(seconds)]

    def _complaints(self) -> Iterator[str]:
        for error in self.errors:
            if not self._harmless(error):
                yield f"{error.details}: {error.reason} ({error.address})"

    def _unshown(self) -> Iterator[str]:
        if not self.rungs:
            yield "no rung was announced"
        for rung in self.rungs:
            if rung.mostly != rung.promised:
                yield f"{rung.promised} was promised, and {rung.mostly or 'nothing'} shown"

    def _unplayed(self, seconds: float) -> Iterator[str]:
        if len(self.runs) < max(1, len(self.tracks)):
            yield f"after {len(self.runs)} runs it stopped at {self.position:.2f} s of {self.duration} s"
        played = {run.track for run in self.runs}
        if len(played) < len(self.tracks):
            yield f"of the sound {self.tracks} only {sorted(played)} was played"
        for number, run in enumerate(self.runs):
            for fault in _faults(run, seconds):
                yield f"run {number}: {fault}"

    def _harmless(self, error: PlayerError) -> bool:
        at_the_start = error.details == "bufferSeekOverHole" and error.position < _START
        return not error.fatal and (at_the_start or error.details in _HARMLESS)


def _faults(run: Run, seconds: float) -> Iterator[str]:
    if abs(run.position - seconds) > _SHORT:
        yield f"it ended at {run.position:.2f} s of {seconds:.2f} s"
    if not run.pictures or run.corrupted:
        yield f"{run.pictures} pictures were decoded, {run.corrupted} of them corrupted"
    if not run.sound:
        yield f"no sound of track {run.track} was decoded"


class Player:
    """A browser and hls.js."""

    def __init__(self, browser: str, hls_js: Path, directory: Path) -> None:
        self._browser = browser
        self._hls_js = hls_js
        self._directory = directory

    def play(self, store: Store, master: str) -> Seen:
        """Play the video whose master playlist has this key."""
        with _Stage(store, self._hls_js) as stage, self._browsing(f"{stage.url}/?video=/video/{quote(master)}") as browser:
            wait_until(lambda: stage.seen or browser.poll() is not None, _SECONDS, "the page to tell what it saw")
            if not stage.seen:
                raise AssertionError(f"Chromium ended with status {browser.returncode}: {self._log.read_text()[-2000:]}")
            return Seen.told(stage.seen)

    @property
    def _log(self) -> Path:
        return self._directory / "browser.log"

    def _browsing(self, address: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
        return browsing(self._browser, self._directory, address, "--autoplay-policy=no-user-gesture-required", "--mute-audio")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser breaks connections off, and is ended in the middle of others."""


class _Stage:
    """Serves the page, hls.js and the store's objects from one origin, and keeps what is posted."""

    def __init__(self, store: Store, hls_js: Path) -> None:
        self.seen = b""
        self._store = store
        self._files = {"/": (PAGE, "text/html"), "/hls.js": (hls_js, "text/javascript")}
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> _Stage:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, address: str) -> tuple[int, bytes, Mapping[str, str]]:
        """Status, body and headers."""
        path = unquote(urlsplit(address).path)
        if path in self._files:
            file, kind = self._files[path]
            return 200, file.read_bytes(), {"Content-Type": kind}
        client = self._store.client()
        try:
            found = client.get_object(Bucket=self._store.bucket, Key=path.removeprefix("/video/"))
        except client.exceptions.ClientError:
            return 404, b"", {}
        return 200, found["Body"].read(), {"Content-Type": found["ContentType"]}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stage = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._send(*stage.answer(self.path))

            def do_POST(self) -> None:
                told = self.rfile.read(int(self.headers["Content-Length"]))
                self._send(204, b"", {})
                stage.seen = told

            def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                with suppress(BrokenPipeError, ConnectionResetError):  # a player that changes its mind
                    self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing to standard error."""

        return Handler


@pytest.fixture
def player(tmp_path: Path) -> Player:
    """A browser that plays HLS."""
    browser = find_browser()
    hls_js = Path(os.environ.get("HLS_JS", _HLS_JS))
    if not hls_js.is_file():
        missing(f"hls.js (`make player` installs it), at {hls_js},")
    return Player(browser, hls_js, tmp_path)
