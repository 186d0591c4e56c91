"""Preparing files: at once while what they hold is in memory, in threads while it is not.

What is in the page cache is read faster than a thread can be woken for it. On a disk or a network file system that takes its time,
reading in the loop would stop every connection, and one file at a time would be read where a hundred could be. Linux tells the two
apart for most file systems; elsewhere the time that the last files took has to do.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from s3tui.transfer.wire.file_errands import SMALL, FileErrand, Part
from s3tui.transfer.wire.orders import Conduct

_THREADS = 16
_PART_THREADS = 4
"""A part keeps a disk busy, and more of them at a time only push one another out of the processor's cache."""
_SLOW_SECONDS, _FAST_SECONDS = 0.002, 0.0005
"""Average times of a small file, from which on threads are used, and no more."""
_SAMPLE = 8
"""One of so many is looked at."""
_WEIGHT = 0.2
_MOST_SECONDS = 0.02
"""What one file may add to the average: a single hiccup is no slow disk."""


class Readers:
    """Decides where an errand is prepared, by how the last ones went."""

    def __init__(self) -> None:
        self._threads: dict[int, ThreadPoolExecutor] = {}
        """By their number."""
        self._count = 0
        self._seconds = 0.0
        self._slow = False

    def at_once(self, errand: FileErrand) -> bool:
        """Whether to try and prepare it in the loop."""
        return errand.size <= SMALL and not self._slow

    def prepare(self, errand: FileErrand, conduct: Conduct, *, waits: bool = False) -> None:
        """Prepare it here and now. Raises what `FileErrand.prepare` raises: BlockingIOError if it takes a thread."""
        self._count += 1
        if self._count % _SAMPLE and not self._slow:
            errand.prepare(conduct, waits=waits)
            return
        began = time.monotonic()
        errand.prepare(conduct, waits=waits)
        self._seconds += _WEIGHT * (min(time.monotonic() - began, _MOST_SECONDS) - self._seconds)
        self._slow = self._seconds > (_FAST_SECONDS if self._slow else _SLOW_SECONDS)

    def prepare_in_thread(self, errand: FileErrand, conduct: Conduct) -> asyncio.Future[None]:
        """Prepare it in a thread; the future has what `FileErrand.prepare` raises."""
        count = _PART_THREADS if isinstance(errand, Part) else _THREADS
        if count not in self._threads:
            self._threads[count] = ThreadPoolExecutor(count, thread_name_prefix="reader")
        work = partial(self.prepare, errand, waits=True) if errand.size <= SMALL else errand.prepare
        return asyncio.get_running_loop().run_in_executor(self._threads[count], work, conduct)
