"""What the engine tests share: carrying files, and seeing what became of them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from s3tui.events import Fact, Failed, PartStored, Skipped, UploadDropped, Uploaded, UploadIntended, UploadOpened
from s3tui.model import Fingerprint, ObjectRef, OpenUpload, Policy, StoredPart, Transfer, now_ms
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
    """One run of an engine, and the facts it gave. Implements `Ledger`."""

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
        self.engine.carry(self.transfers, self.policy, ledger=self, progress=self.progress, control=self.control)
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

    def record(self, facts: Sequence[Fact]) -> None:
        """See `Ledger`."""
        for fact in facts:
            self.facts.append(fact)
            self.on_fact(fact)

    def flush(self) -> None:
        """See `Ledger`."""

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

    @property
    def ended(self) -> list[Fact]:
        """The facts that end a transfer."""
        return [fact for fact in self.facts if isinstance(fact, Uploaded | Skipped | Failed)]

    def left(self, no: int = 0) -> OpenUpload:
        """What the ledger has of the open upload of a transfer, as the next run would get it."""
        intent = [fact for fact in self.facts if isinstance(fact, UploadIntended) and fact.no == no][-1]
        parts = sorted(
            StoredPart(fact.part, fact.size, fact.checksum, fact.etag)
            for fact in self.facts
            if isinstance(fact, PartStored) and fact.no == no
        )
        upload_id = self.open_uploads.get(no, "")
        return OpenUpload(
            no, intent.target, upload_id, intent.part_size, intent.fingerprint, intent.checksum, now_ms(), tuple(parts)
        )

    @property
    def open_uploads(self) -> dict[int, str]:
        """Ids of the multipart uploads that the ledger has as open, by number."""
        ids: dict[int, str] = {}
        for fact in self.facts:
            if isinstance(fact, UploadOpened):
                ids[fact.no] = fact.upload_id
            elif isinstance(fact, UploadDropped | Uploaded):
                ids.pop(fact.no, None)
        return ids
