"""What the engine tests share: carrying files, and seeing what became of them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from s3tui.events import Fact, Failed, Skipped, Uploaded
from s3tui.model import Fingerprint, ObjectRef, Policy, Transfer
from s3tui.transfer.engine import Control, Engine
from s3tui.transfer.progress import Progress
from tests.servers import Store

MIB = 1 << 20
SINGLE = 12 * MIB
"""Sent in one request, and more than the buffers between a client and a server hold."""

OpenEngine = Callable[[Store], Engine]


@cache
def filled(size: int) -> bytes:
    """Bytes in which every part is another one."""
    return hashlib.shake_128(str(size).encode()).digest(size)


def transfers_of(bucket: str, files: dict[str, Path]) -> list[Transfer]:
    """One transfer for each key, numbered in order."""
    return [
        Transfer(no, bytes(path), ObjectRef(bucket, key), Fingerprint.of(path.lstat()))
        for no, (key, path) in enumerate(files.items())
    ]


def written(directory: Path, contents: dict[str, bytes]) -> dict[str, Path]:
    """A file for each key. Their names are numbers, so that every key may be tried on every file system."""
    paths = {key: directory / f"source-{no}" for no, key in enumerate(contents)}
    for key, path in paths.items():
        path.write_bytes(contents[key])
    return paths


@dataclass
class Ride:
    """One run of an engine, and the facts it gave."""

    engine: Engine
    transfers: Iterable[Transfer]
    policy: Policy = field(default_factory=Policy)
    control: Control = field(default_factory=lambda: Control(20))
    progress: Progress = field(default_factory=Progress)
    facts: list[Fact] = field(default_factory=list)
    raised: BaseException | None = None
    on_fact: Callable[[Fact], Any] = lambda _: None

    def carry(self) -> Ride:
        """Run to the end in this thread."""
        self.engine.carry(self.transfers, self.policy, record=self._record, progress=self.progress, control=self.control)
        return self

    def start(self) -> threading.Thread:
        """Run in a thread; what it raises is in `raised`."""
        thread = threading.Thread(target=self._carry_quietly)
        thread.start()
        return thread

    def _carry_quietly(self) -> None:
        try:
            self.carry()
        except BaseException as error:
            self.raised = error

    def _record(self, fact: Fact) -> None:
        self.facts.append(fact)
        self.on_fact(fact)

    @property
    def uploaded(self) -> dict[int, Uploaded]:
        """By number."""
        return {fact.no: fact for fact in self.facts if isinstance(fact, Uploaded)}

    @property
    def skipped(self) -> dict[int, Skipped]:
        """By number."""
        return {fact.no: fact for fact in self.facts if isinstance(fact, Skipped)}

    @property
    def failed(self) -> dict[int, Failed]:
        """By number."""
        return {fact.no: fact for fact in self.facts if isinstance(fact, Failed)}
