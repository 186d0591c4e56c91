"""Where uploads go: a sink of our own, or `rclone serve s3`. Each run gets a new one, and the store proves what has arrived."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.meter import RunFailed
from benchmarks.sink import Counts
from benchmarks.sources import Source
from tests.certificates import self_signed

ROOT = Path(__file__).parents[1]
BUCKET, PREFIX = "bench", "run"
KEYS = ("bench", "bench-secret")


@dataclass(frozen=True)
class Arrived:
    """What a store has seen of one run; zeros where it does not count."""

    connections: int = 0
    """Opened by the tool."""
    in_flight: int = 0
    """Requests that had begun and were not answered, at the most."""
    requests: int = 0
    seconds: float = 0.0
    """From the first request that carries a file to the answer to the last."""


class RunningStore(Protocol):
    """A store in a process of its own."""

    url: str
    pid: int
    certificate: Path | None
    """The authority to trust, if it speaks TLS."""

    def end(self, *, stored: bool = True) -> Arrived:
        """End it. Raises RunFailed if the source is not there whole or, when it must not be `stored`, if anything is."""


OpenStore = Callable[[Path, Source], AbstractContextManager[RunningStore]]
"""Starts a store for a source; it may use an empty directory, and is ended at the latest when it is left."""


class RunningSink:
    """A sink. See `benchmarks.sink` for its options."""

    def __init__(self, options: list[str], source: Source | None = None, certificate: Path | None = None) -> None:
        self._source = source
        command = [sys.executable, "-m", "benchmarks.sink", *options]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        port = int(self._process.stdout.readline())
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
        self.pid = self._process.pid
        self.certificate = certificate

    def end(self, *, stored: bool = True) -> Arrived:
        """Believe the counts: as many objects and bytes as the source has."""
        counts = self.counts()
        objects = counts.requests["PutObject"] + counts.requests["CompleteMultipartUpload"]
        if not stored and objects:
            raise RunFailed(f"{objects} objects were stored, and none should be.")
        if stored and self._source and (objects < self._source.files or counts.bytes < self._source.bytes):
            wanted = f"{self._source.files} objects and {self._source.bytes} bytes"
            raise RunFailed(f"{objects} objects and {counts.bytes} bytes arrived, of {wanted}.")
        return Arrived(counts.connections, counts.most_in_flight, counts.requests.total(), counts.ended - counts.began)

    def counts(self) -> Counts:
        """End it; what it has counted."""
        printed, _ = self._process.communicate()
        counted = json.loads(printed)
        return Counts(**{**counted, "requests": Counter(counted["requests"])})

    def close(self) -> None:
        """End it, if it has not ended."""
        if self._process.returncode is None:
            self._process.communicate()


@contextmanager
def running_sink(*, delay: float, pace: int = 0, refuse: str = "", stumble: str = "") -> Iterator[str]:
    """A sink for whoever does not ask what arrived; yields its URL."""
    sink = RunningSink([f"--delay={delay}", f"--pace={pace}", f"--refuse={refuse}", f"--stumble={stumble}"])
    try:
        yield sink.url
    finally:
        sink.close()


def sink(*, delay: float = 0.0, tls: bool = False) -> OpenStore:
    """A sink that answers after `delay` seconds."""

    @contextmanager
    def opened(directory: Path, source: Source) -> Iterator[RunningStore]:
        options, certificate = [f"--delay={delay}"], None
        if tls:
            certificate, key = self_signed(directory)
            options += ["--tls", str(certificate), str(key)]
        running = RunningSink(options, source, certificate)
        try:
            yield running
        finally:
            running.close()

    return opened


class RunningRclone:
    """`rclone serve s3`, which checks signatures and keeps files."""

    certificate: Path | None = None

    def __init__(self, rclone: str, root: Path, source: Source) -> None:
        self._rclone = rclone
        self._source = source
        self._stored = root / BUCKET / PREFIX
        self._stored.parent.mkdir(parents=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        options = ["--config", os.devnull, "--addr", f"127.0.0.1:{port}", "--auth-key", ",".join(KEYS)]
        command = [rclone, "serve", "s3", *options, str(root)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.url = f"http://127.0.0.1:{port}"
        self.pid = self._process.pid
        _until_it_listens(self._process, port)

    def end(self, *, stored: bool = True) -> Arrived:
        """Believe the bytes: each file is compared with its source."""
        self.close()
        source = self._source.path if stored else self._stored.parent
        command = [self._rclone, "check", "--config", os.devnull, "--download", str(source), str(self._stored)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            raise RunFailed("What arrived differs from what was sent.")
        return Arrived()

    def close(self) -> None:
        """End it, if it has not ended."""
        self._process.terminate()
        self._process.wait()


def rclone_server(rclone: str) -> OpenStore:
    """`rclone serve s3` over an empty directory."""

    @contextmanager
    def opened(directory: Path, source: Source) -> Iterator[RunningStore]:
        running = RunningRclone(rclone, directory / "store", source)
        try:
            yield running
        finally:
            running.close()

    return opened


def _until_it_listens(server: subprocess.Popen[bytes], port: int) -> None:
    while server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    raise SystemExit(f"rclone ended with status {server.returncode} before it listened.")
