"""A worker process for tests: `python -m tests.queues.taker MODE WHERE QUEUE LEASE LOG`. It writes `PID UNIT` for each unit.

MODE is `hold`: never gets done with a unit; or `meet`: ends its first unit only when another process has begun one as well.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from tests.queues.bench import open_by_name, working
from tests.waiting import wait_until


def main(mode: str, where: str, queue: str, lease: str, log_name: str) -> None:
    log = Path(log_name)

    def pids() -> set[str]:
        return {line.split()[0] for line in log.read_text().splitlines()}

    def take(job_id: str, unit_no: int) -> None:
        with log.open("a") as lines:
            lines.write(f"{os.getpid()} {unit_no}\n")
        if mode == "hold":
            threading.Event().wait()
        wait_until(lambda: len(pids()) == 2, timeout=30, what="the other process")

    with working(open_by_name(where, float(lease)), [queue], take, threads=2):
        sys.stdin.read()  # until the parent hangs up, or kills us


main(*sys.argv[1:])
