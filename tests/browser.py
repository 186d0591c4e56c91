"""Headless Chromium with a profile of its own, which asks nobody for anything but the page.

Where it is missing, tests that need it are skipped at home, and fail in CI.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.missing import missing

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def find_browser() -> str:
    """Where it is."""
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    return browser if browser is not None else missing("Chromium")


@contextmanager
def browsing(browser: str, directory: Path, address: str, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A browser that opens an address; its profile and `browser.log` are in the directory."""
    profile = directory / "profile"
    shutil.rmtree(profile, ignore_errors=True)
    options = [
        *("--headless=new", "--no-first-run", "--no-default-browser-check", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions"),
        *("--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", f"--user-data-dir={profile}"),
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
    ]
    environment = os.environ | {name: str(profile) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    with (directory / "browser.log").open("wb") as log:
        process = subprocess.Popen(
            [browser, *options, *more, address],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
