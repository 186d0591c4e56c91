"""How fast the REST API takes bodies, beside FastAPI's own `UploadFile`: `python -m benchmarks.api [--size SIZE] [--rounds N]`.

Both are servers in processes of their own, both keep the body durably with its SHA-256, and they take turns, so that what else the
machine does hits both. `s3tui api` takes it raw and as a form; `UploadFile` knows forms only. Then a body that is larger still
comes, for the peak of memory. Believe the ratios more than the absolute values.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from s3tui.text import format_size, parse_size
from tests.api.servers import ApiServer
from tests.cli.command import Home
from tests.ports import answers, free_port
from tests.waiting import wait_until

_PIECE = memoryview(os.urandom(1 << 20))
_BOUNDARY = "benchmark"
_HEAD = (
    f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\nContent-Type: video/mp4\r\n\r\n'.encode()
)
_TAIL = f"\r\n--{_BOUNDARY}--\r\n".encode()


@dataclass(frozen=True)
class Way:
    """One way to send a body to one server."""

    name: str
    pid: int
    port: int
    path: str
    token: str = ""
    form: bool = False


def main() -> int:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--size", default="1GiB", help="of a body")
    parser.add_argument("--large", default="4GiB", help="of the one by which memory is measured")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    size = parse_size(options.size)
    with tempfile.TemporaryDirectory(prefix="s3tui-bench-") as name, ExitStack() as stack:
        directory = Path(name)
        server = stack.enter_context(_our_server(directory / "ours"))
        their_port, their_pid = stack.enter_context(_their_server(directory / "theirs"))
        assert server.process is not None
        our_pid = server.process.pid
        raw = Way("`s3tui api`, raw body", our_pid, server.port, "/v1/videos?name=a.mp4", server.token)
        form = Way("`s3tui api`, form", our_pid, server.port, "/v1/videos?name=a.mp4", server.token, form=True)
        theirs = Way("`UploadFile`, form", their_pid, their_port, "/files", form=True)
        speeds: dict[Way, list[float]] = {way: [] for way in (raw, form, theirs)}
        costs: dict[Way, list[float]] = {way: [] for way in speeds}
        for _ in range(options.rounds):
            for way, figures in speeds.items():
                before = _cpu_seconds(way.pid)
                figures.append(size / _seconds(way, size))
                costs[way].append((_cpu_seconds(way.pid) - before) / size * 1e9)
                _empty(directory)
        peaks = {raw: _peak(our_pid), theirs: _peak(their_pid)}
        _seconds(raw, parse_size(options.large))
        _empty(directory)
        large = _peak(our_pid)
    print(f"\n{os.cpu_count()} cores; bodies of {format_size(size)}, {options.rounds} rounds\n")
    print("| | MB/s | x `UploadFile` | CPU s/GB |\n|---|---|---|---|")
    for way, figures in speeds.items():
        ratio = statistics.median(ours / other for ours, other in zip(figures, speeds[theirs], strict=True))
        print(f"| {way.name} | {statistics.median(figures) / 1e6:,.0f} | {ratio:.1f} | {statistics.median(costs[way]):.2f} |")
    print(f"\npeak RSS: `s3tui api` {format_size(peaks[raw])}, after a body of {options.large} {format_size(large)};", end=" ")
    print(f"`UploadFile` {format_size(peaks[theirs])} and a second copy of the body on the disk")
    return 0


def _seconds(way: Way, size: int) -> float:
    """From the connection to the answer."""
    length = size + (len(_HEAD) + len(_TAIL) if way.form else 0)
    media = f"multipart/form-data; boundary={_BOUNDARY}" if way.form else "video/mp4"
    lines = [f"POST {way.path} HTTP/1.1", "Host: api", f"Content-Length: {length}", f"Content-Type: {media}", "Connection: close"]
    lines += [f"Authorization: Bearer {way.token}"] if way.token else []
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", way.port)) as connection:
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + (_HEAD if way.form else b""))
        for _ in range(size // len(_PIECE)):
            connection.sendall(_PIECE)
        connection.sendall(bytes(_PIECE[: size % len(_PIECE)]) + (_TAIL if way.form else b""))
        answer = connection.recv(65536)
        took = time.perf_counter() - began
    if answer[9:12] not in (b"200", b"202"):
        raise RuntimeError(answer.decode(errors="replace"))
    return took


@contextmanager
def _our_server(directory: Path) -> Iterator[ApiServer]:
    home = Home(directory)
    (home.work / "config.yaml").write_text("s3: {bucket_name: bucket}\napi: {start_worker: false}\n")
    with ApiServer(home) as server:
        yield server


@contextmanager
def _their_server(directory: Path) -> Iterator[tuple[int, int]]:
    directory.mkdir()
    port = free_port()
    environment = os.environ | {"TMPDIR": str(directory)}
    command = [sys.executable, "-m", "benchmarks.upload_file", str(directory), str(port)]
    with subprocess.Popen(command, env=environment) as process:
        try:
            wait_until(lambda: answers(port), 30, "the other server to listen")
            yield port, process.pid
        finally:
            process.terminate()


def _empty(directory: Path) -> None:
    """Give the disk back what has come."""
    for path in (*(directory / "theirs").iterdir(), *(directory / "ours" / "state" / "s3tui" / "staging").rglob("*.mp4")):
        path.unlink()


def _cpu_seconds(pid: int) -> float:
    """What a process has had of all cores so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak(pid: int) -> int:
    """Most memory that a process has had resident."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) << 10


if __name__ == "__main__":
    sys.exit(main())
