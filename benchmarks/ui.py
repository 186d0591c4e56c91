"""How the terminal UI keeps up: `python -m benchmarks.ui [--keys N] [--files N] [--rows N]`.

Everything happens on a real terminal. While a real worker carries 100 transfers at a time to a store that answers after 1.5 s (see
sink.py), keys are pressed in the Transfers screen, and each is timed to the first bytes that only it can cause: the cursor's mark
on another line. Then a job with many files is opened, for the memory of the UI process and the time to its first paint. In the end
a job of many more moves 100 transfers with every frame: for what is written with our own output and with Textual's, and for keys
at the end of slow lines, where a key counts from its press until it is seen there. Believe the ratios more than the absolute
values.
"""

from __future__ import annotations

import argparse
import os
import pty
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread

from benchmarks.stores import running_sink
from s3tui.config import load_settings
from s3tui.jobs.specs import encode_spec
from s3tui.model import WHOLE, JobState, new_id, now_ms
from s3tui.runtime import Runtime
from s3tui.state.jobs import NewJob
from tests.slow_line import SlowTerminal
from tests.state.scenes import ANN, claim, plan, planned, register
from tests.terminal import Terminal
from tests.waiting import wait_until

SIZES = ((80, 24), (200, 50))
CURSOR = "▌"
LINES = ((100_000, 0.08), (8_000, 0.15))
"""Bytes a second, and seconds of a round trip."""
TRUE_COLOUR = {"COLORTERM": "truecolor"}
PLAIN = {**TRUE_COLOUR, "S3TUI_UI__FAST_OUTPUT": "off", "S3TUI_UI__ACK_PACING": "off"}


def main() -> int:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0] if __doc__ else None)
    parser.add_argument("--keys", type=int, default=60, help="keys for each size")
    parser.add_argument("--files", type=int, default=12_000, help="files of the job that runs")
    parser.add_argument("--rows", type=int, default=1_000_000, help="files of the large job, and of the one that moves")
    parser.add_argument("--pairs", type=int, default=5, help="uploads with the UI open, and as many without")
    parser.add_argument("--only", choices=["load", "large", "line", "cost"], help="measure a part")
    options = parser.parse_args()
    rows: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory(prefix="s3tui-bench-") as name, running_sink(delay=1.5) as url:
        directory = Path(name)
        os.environ.update(environment(directory, url))
        if options.only in (None, "load"):
            make_tree(directory / "tree", options.files)
            with running_job(directory / "tree") as job:
                for size in SIZES:
                    rows += under_load(job, size, options.keys)
        if options.only in (None, "large"):
            rows += large_job(options.rows)
        if options.only in (None, "line"):
            rows += idle()
            with moving_job(options.rows) as job:
                for size in SIZES:
                    rows += written(job, size, options.keys)
                for rate, round_trip in LINES:
                    rows += slow_line(job, rate, round_trip, options.keys // 3)
        if options.only in (None, "cost"):
            rows += cost_of_an_open_ui(directory / "paired", options.pairs)
    print(f"\n{os.cpu_count()} cores; a real job of {options.files:,} files\n\n| | |\n|---|---|")
    print("\n".join(f"| {what} | {figure} |" for what, figure in rows))
    return 0


def under_load(job: str, size: tuple[int, int], keys: int) -> list[tuple[str, str]]:
    """Press keys while the job runs."""
    columns, lines = size
    with Terminal(["-m", "s3tui", "tui", "--job", job], TRUE_COLOUR, columns=columns, lines=lines) as terminal:
        terminal.until_seen("sending")
        time.sleep(2)
        cpu, written, began = cpu_seconds(terminal.process.pid), terminal.written, time.perf_counter()
        active = []
        with Runtime(load_settings().settings) as runtime:
            for _ in range(5):
                time.sleep(1)
                active.append(len(runtime.service.watch(job).active))
            seconds = time.perf_counter() - began
            rate = (terminal.written - written) / seconds
            share = (cpu_seconds(terminal.process.pid) - cpu) / seconds
            key_latency(terminal, "j")  # ends the following of what is in flight
            before = runtime.service.watch(job).job.totals.uploaded
            began = time.perf_counter()
            moves = sorted(key_latency(terminal, "j" if at % 8 < 4 else "k") for at in range(keys))
            pages = sorted(key_latency(terminal, "\x1b[6~") for _ in range(keys // 3))
            files = (runtime.service.watch(job).job.totals.uploaded - before) / (time.perf_counter() - began)
            if runtime.service.watch(job).job.state.ended:
                raise SystemExit("The job ended before the keys did: give it more --files.")
    where = f"{columns}x{lines}"
    return [
        (f"{where}: transfers in flight, files/s meanwhile", f"{statistics.median(active):.0f}, {files:.0f}"),
        (f"{where}: key to first byte, cursor moves: p50 / p90 / max", milliseconds(moves)),
        (f"{where}: key to first byte, page down: p50 / p90 / max", milliseconds(pages)),
        (f"{where}: written to the terminal, nobody types", f"{rate / 1000:.1f} kB/s"),
        (f"{where}: CPU of the UI process, nobody types", f"{share:.0%} of a core"),
    ]


def key_latency(terminal: Terminal, key: str) -> float:
    """Seconds from the key until the cursor's mark is written on another line."""
    time.sleep(random.uniform(0.12, 0.25))
    line = cursor_line(terminal)
    began = time.perf_counter()
    terminal.press(key)
    while cursor_line(terminal) == line:
        if time.perf_counter() - began > 5:
            raise SystemExit(f"The key {key!r} was never painted:\n{terminal.text()}")
        time.sleep(0.0005)
    return time.perf_counter() - began


def cursor_line(terminal: Terminal) -> str:
    """The path on the cursor's line: what is sent there may change, the name does not."""
    text = terminal.marked_line(CURSOR)
    found = re.search(r"\S*\d+\.bin", text)
    return found.group() if found else text[:14]


def large_job(rows: int) -> list[tuple[str, str]]:
    """Open a job with many files, and look at the process."""
    with Runtime(load_settings().settings) as runtime:
        job = many_rows(runtime, rows)
        imports = min(timed_import() for _ in range(3))
        paints = []
        for _ in range(3):
            began = time.perf_counter()
            with Terminal(["-m", "s3tui", "tui", "--job", job], {}) as terminal:
                wait_until(lambda terminal=terminal: "s3tui" in terminal.text(), what="the first paint")  # type: ignore[misc]
                paints.append(time.perf_counter() - began)
                terminal.until_seen(f"{rows:,} files")
                opened = time.perf_counter() - began
                times = look_around(terminal, rows)
                peak = peak_memory(terminal.process.pid)
        assert len(runtime.service.numbers(runtime.service.job(job), WHOLE)) == rows
    return [
        (f"a job of {rows:,} files: peak memory of the UI process, after all that is below", f"{peak / 1e6:.0f} MB"),
        *((f"a job of {rows:,} files: {what}", f"{seconds * 1000:.0f} ms") for what, seconds in times),
        ("first paint", f"{min(paints) * 1000:.0f} ms, {min(paints) / imports:.2f} of `python -c 'import textual.app'`"),
        (f"a job of {rows:,} files on the screen", f"{opened * 1000:.0f} ms, {opened / imports:.2f} of it"),
    ]


def look_around(terminal: Terminal, rows: int) -> list[tuple[str, float]]:
    """Seconds until each of these is on the screen, from the key that asks for it."""
    last, middle = rows - 1, rows // 2 + 7
    steps = (
        ("the end (G)", "G", f"file-{last:06}"),
        ("the beginning (g)", "g", "file-000000"),
        ("two pages down", "\x1b[6~\x1b[6~", "file-000030"),
        ("the view To send (3)", "3", "file-000030"),
        ("its end (G)", "G", f"file-{last:06}"),
        ("the view All again (1)", "1", f"file-{last:06}"),
        ("a filter that finds one", f"/{middle:06}\r", f"file-{middle:06}"),
        ("no filter again (Esc)", "\x1b", f"file-{middle - 1:06}"),
        ("a filter that finds a tenth", "/9.bin\r", f"file-{last - 10:06}"),
    )
    times = []
    for what, keys, seen in steps:
        time.sleep(1)
        began = time.perf_counter()
        terminal.press(keys)
        terminal.until_seen(seen)
        times.append((what, time.perf_counter() - began))
    return times


_PAIRED_FILES = 60_000
"""Enough for an upload of several seconds, beside which neither its beginning nor the end of the waiting for it counts."""


def cost_of_an_open_ui(directory: Path, pairs: int) -> list[tuple[str, str]]:
    """The same upload with a UI that shows it and without, in turn, to a store that answers at once."""
    make_tree(directory / "tree", _PAIRED_FILES)
    with running_sink(delay=0.0) as url:
        os.environ.update(environment(directory, url))
        with Runtime(load_settings().settings) as runtime:
            try:
                timed_upload(runtime, directory / "tree", watched=False)  # the worker has been started after this
                shares = []
                for at in range(pairs):
                    turns = (False, True) if at % 2 else (True, False)
                    seconds = {watched: timed_upload(runtime, directory / "tree", watched=watched) for watched in turns}
                    shares.append(seconds[False] / seconds[True])
            finally:
                end_workers(runtime)
    what = f"throughput with the UI open, of that without: median and extremes of {pairs} pairs"
    return [(what, f"{statistics.median(shares):.1%}, {min(shares):.1%} to {max(shares):.1%}")]


def timed_upload(runtime: Runtime, tree: Path, *, watched: bool) -> float:
    """Seconds in which a plan of the tree is carried."""
    job = runtime.service.plan(runtime.upload_spec([str(tree)], "s3://bench/paired"), concurrency=100)
    runtime.ensure_worker()
    wait_until(lambda: runtime.service.job(job).state is JobState.PLANNED, 60, "the plan")
    with drained_ui(job) if watched else nullcontext():
        began = time.perf_counter()
        runtime.service.apply(job)
        wait_until(lambda: runtime.service.job(job).state.ended, 120, "the end of the upload")
        return time.perf_counter() - began


@contextmanager
def drained_ui(job: str) -> Iterator[None]:
    """The UI on a terminal that takes what it writes and looks at none of it, as that would cost more than the UI."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (36, 120))
    command = [sys.executable, "-m", "s3tui", "tui", "--job", job]
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    taken = bytearray()

    def drain() -> None:
        with suppress(OSError):
            while data := os.read(master, 65536):
                taken.extend(data)

    os.close(slave)
    Thread(target=drain, daemon=True).start()
    try:
        wait_until(lambda: b"to send" in taken, 60, "the UI to show the plan")
        yield
    finally:
        process.terminate()
        process.wait()


def many_rows(runtime: Runtime, rows: int) -> str:
    """A planned job with this many files, written as a scan writes them; returns its id."""
    store = runtime.store
    planner = replace(ANN, identity=runtime.settings.aws.identity)
    register(store, planner)
    job = runtime.service.plan(runtime.upload_spec(["/tree"], "s3://bench/tree"), concurrency=100, home=planner.id)
    numbers = range(rows)
    shards = ([planned(f"file-{number:06}.bin") for number in numbers[at : at + 2000]] for at in range(0, rows, 2000))
    plan(store, shards, hold=True, claimant=planner)
    return job


def timed_import() -> float:
    """Seconds to import Textual in a new interpreter: the least that any program with it takes."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import textual.app"], check=True)
    return time.perf_counter() - began


def idle() -> list[tuple[str, str]]:
    """Look at a screen on which nothing happens."""
    with Terminal(["-m", "s3tui"], TRUE_COLOUR) as terminal:
        terminal.until_seen("New job")
        time.sleep(3)
        before = terminal.written
        time.sleep(10)
        return [("80x24: written in 10 s while nothing happens", f"{terminal.written - before} bytes")]


def written(job: str, size: tuple[int, int], keys: int) -> list[tuple[str, str]]:
    """Count what is written while 100 transfers move with every frame, and press keys meanwhile."""
    columns, lines = size
    found = []
    for output, whose in ((TRUE_COLOUR, "our output"), (PLAIN, "Textual's")):
        with Terminal(["-m", "s3tui", "tui", "--job", job], output, columns=columns, lines=lines) as terminal:
            terminal.until_seen("sending")
            time.sleep(3)
            before, frames, began = terminal.written, terminal.frames, time.perf_counter()
            cpu = cpu_seconds(terminal.process.pid)
            time.sleep(8)
            seconds = time.perf_counter() - began
            rate, paints = (terminal.written - before) / seconds / 1000, (terminal.frames - frames) / seconds
            share = (cpu_seconds(terminal.process.pid) - cpu) / seconds
            key_latency(terminal, "j")
            moves = sorted(key_latency(terminal, "j" if at % 8 < 4 else "k") for at in range(keys))
        what = f"{columns}x{lines}, 100 transfers move, {whose}"
        found += [
            (f"{what}: written, frames, CPU of a core", f"{rate:.1f} kB/s, {paints:.1f}/s, {share:.0%}"),
            (f"{what}: key to first byte: p50 / p90 / max", milliseconds(moves)),
        ]
    return found


def slow_line(job: str, rate: float, round_trip: float, keys: int) -> list[tuple[str, str]]:
    """Press keys at the end of a slow line: how long until each is seen, and how much waits for the line."""
    found = []
    for output, whose in ((TRUE_COLOUR, "our output"), (PLAIN, "Textual's")):
        arguments = ["-m", "s3tui", "tui", "--job", job]
        with SlowTerminal(arguments, output, rate=rate, round_trip=round_trip) as terminal:
            terminal.until_seen("sending")
            time.sleep(8)
            terminal.press("g")
            seen: list[float] = []
            terminal.most_backlog = missed = 0
            while len(seen) < keys and missed < 3:
                try:
                    seen.append(key_latency(terminal, "j"))
                except SystemExit:
                    missed += 1
            backlog = terminal.most_backlog
        what = f"80x24, {rate / 1000:.0f} kB/s, round trip {round_trip * 1000:.0f} ms, {whose}"
        figure = milliseconds(sorted(seen)) if seen else "never within 5 s"
        found.append((f"{what}: key p50 / p90 / max; most bytes that waited", f"{figure}; {backlog / 1000:.1f} kB"))
    return found


@contextmanager
def moving_job(rows: int) -> Iterator[str]:
    """A job of so many files whose worker tells something new of 100 transfers, five times a second; yields its id."""
    ended = threading.Event()
    with Runtime(load_settings().settings) as runtime:
        store = runtime.store
        register(store, ANN, pid=os.getpid())
        spec = encode_spec(runtime.upload_spec([tempfile.gettempdir()], "s3://bench/moving"))
        job = new_id()
        store.jobs.create(NewJob(job, "upload", "upload", spec, "moving", False, 100, ANN.id, "", now_ms(), place=""))
        numbers = range(rows)
        plan(
            store, ([planned(f"file-{number:06}.bin", 10**8) for number in numbers[at : at + 2000]] for at in range(0, rows, 2000))
        )
        lease = claim(store)
        moved = [number for _source, _path, number, *_rest in store.transfers.to_carry(lease)][:100]

        def beat() -> None:
            sent = 0
            while not ended.wait(0.2):
                sent += 1_234_567
                active = [[number, (sent + number * 997_001) % 10**8, 10**8, 1, 1e6 + sent % 9_999_999] for number in moved]
                store.workers.beat(ANN.id, {job: {"active": active}})

        thread = threading.Thread(target=beat)
        thread.start()
        try:
            yield job
        finally:
            ended.set()
            thread.join()


@contextmanager
def running_job(tree: Path) -> Iterator[str]:
    """A job in a background worker; yields its id, and ends the worker."""
    with Runtime(load_settings().settings) as runtime:
        spec = runtime.upload_spec([str(tree)], "s3://bench/tree")
        job = runtime.service.submit(spec, concurrency=100).job_id
        runtime.ensure_worker()
        wait_until(lambda: len(runtime.service.watch(job).active) > 90, 60, "100 transfers in flight")
        try:
            yield job
        finally:
            end_workers(runtime)


def end_workers(runtime: Runtime) -> None:
    """End the workers of this state directory."""
    for worker in runtime.service.workers():
        with suppress(ProcessLookupError):
            os.kill(worker.pid, signal.SIGTERM)
    wait_until(lambda: not runtime.service.workers(), 30, "the worker to end")


def environment(directory: Path, url: str) -> Mapping[str, str]:
    """A place of its own, and the sink for a store."""
    return {
        "XDG_STATE_HOME": str(directory / "state"),
        "XDG_CONFIG_HOME": str(directory / "config"),
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench-secret",
        "AWS_ENDPOINT_URL": url,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "S3TUI_S3__ADDRESSING_STYLE": "path",
    }


def make_tree(root: Path, files: int) -> None:
    """Many small files, a thousand to a directory."""
    for number in range(files):
        path = root / f"{number // 1000:04}" / f"{number:06}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 2048)


def milliseconds(seconds: list[float]) -> str:
    """p50, p90 and the maximum of sorted seconds."""
    chosen = (seconds[len(seconds) // 2], seconds[len(seconds) * 9 // 10], seconds[-1])
    return " / ".join(f"{value * 1000:.1f}" for value in chosen) + " ms"


def peak_memory(pid: int) -> int:
    """The most memory that the process has had, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def cpu_seconds(pid: int) -> float:
    """CPU time of the process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
