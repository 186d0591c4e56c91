"""At a glance in a real terminal: the real program and worker, who are looked at while they work."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

from s3tui.config import Settings
from s3tui.runtime import Runtime
from tests.front import FaultFront
from tests.servers import Store
from tests.terminal import Terminal
from tests.tui.test_real_terminal import ENTER, ESCAPE, environment, place, tree
from tests.waiting import wait_until

__all__ = ["environment", "place", "tree"]

F3 = "\x1bOR"


def test_a_job_is_looked_at_from_all_sides_while_it_works_and_when_it_has_ended(
    tree: Path, place: tuple[Store, FaultFront], environment: dict[str, str]
) -> None:
    store, front = place
    gate = front.hold("PutObject", "file-5", seconds=120)
    here = socket.gethostname()
    with Terminal(
        ["-m", "s3tui", "tui", str(tree / "alpha"), f"s3://{store.bucket}/in"], environment, columns=100, lines=30
    ) as terminal:
        terminal.until_seen("[x] ▸ alpha/")
        terminal.press(ENTER)
        terminal.until_seen("◇ planned", timeout=40)
        terminal.press(ENTER)
        terminal.until_seen(f"1 worker on {here}", timeout=40)
        wait_until(gate.arrived.is_set, 40, "the last file to be on its way")
        with Runtime(Settings()) as runtime:
            [worker] = runtime.service.workers()
            os.kill(worker.pid, signal.SIGSTOP)
            terminal.until_seen(f"worker on {here} silent for")
            os.kill(worker.pid, signal.SIGCONT)
            terminal.until_unseen("silent for")
        terminal.press("W")
        terminal.until_seen("▸ alive")
        terminal.until_seen("1 in flight")
        terminal.press(ESCAPE)
        terminal.until_seen("7 of 8 files")
        terminal.press(F3)
        terminal.until_seen("environment AWS_ENDPOINT_U")
        terminal.until_seen("********")
        terminal.press(ESCAPE)
        terminal.until_seen("7 of 8 files")
        terminal.press("t")
        terminal.until_seen("Bytes per second")
        gate.open()
        terminal.until_seen("✓ completed", timeout=40)
        terminal.press("4")
        terminal.until_seen("Retries (+) and failed files (x)")
        terminal.press("q")
        wait_until(lambda: terminal.process.poll() == 0, what="the program to end")
    with Runtime(Settings()) as runtime:
        [job] = runtime.service.browse()
        samples = runtime.service.samples(job)
    assert samples[-1].files == 8
    assert samples[-1].bytes == job.totals.bytes
    assert len(samples) >= 3
    assert [sample.files for sample in samples] == sorted(sample.files for sample in samples)
