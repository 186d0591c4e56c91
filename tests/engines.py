"""A transfer engine that carries into a directory: a real implementation, for tests of what stands above engines."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from s3tui.errors import BucketNotFound
from s3tui.events import Fact, Failed, Uploaded
from s3tui.model import Connection, Policy, Receipt, StoredObject, Transfer
from s3tui.transfer.engine import Control
from s3tui.transfer.progress import Progress


class DirectoryEngine:
    """Copies each file to `root/key`. A test may hold it: then files wait, in flight, until they are let go."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._let_go = threading.Event()
        self._let_go.set()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(64)
        self._control = Control(1)
        self.sent: Counter[str] = Counter()
        self.refused: set[str] = set()
        self.in_flight = 0
        self.most_in_flight = 0

    def hold(self) -> None:
        """Let files wait in flight."""
        self._let_go.clear()

    def let_go(self) -> None:
        """Let them end."""
        self._let_go.set()

    @property
    def told_to_stop(self) -> bool:
        """Whether the newest job was paused or cancelled."""
        return self._control.stopping

    def carry(
        self,
        transfers: Iterable[Transfer],
        policy: Policy,
        *,
        record: Callable[[Fact], None],
        progress: Progress,
        control: Control,
    ) -> None:
        """See `Engine`."""
        self._control = control
        waiting = iter(transfers)
        futures = []
        while control.take_slot():
            transfer = next(waiting, None)
            if transfer is None:
                control.give_slot()
                break
            futures.append(self._pool.submit(self._carry_one, transfer, record, progress, control))
        for future in futures:
            future.result()

    def close(self) -> None:
        """See `Engine`."""
        self._pool.shutdown()

    def _carry_one(self, transfer: Transfer, record: Callable[[Fact], None], progress: Progress, control: Control) -> None:
        with self._lock:
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        progress.start(transfer.no, transfer.fingerprint.size, 1)
        try:
            while not self._let_go.wait(0.02):
                if control.cancelled:
                    return
            record(self._outcome(transfer))
        finally:
            progress.end(transfer.no)
            with self._lock:
                self.in_flight -= 1
            control.give_slot()

    def _outcome(self, transfer: Transfer) -> Fact:
        key = transfer.target.key
        with self._lock:
            self.sent[key] += 1
        if key in self.refused:
            return Failed(transfer.no, transfer.attempts + 1, "access_denied", f"{key} was refused.")
        content = Path(os.fsdecode(transfer.path)).read_bytes()
        (self._root / key.replace("/", "\u2044")).write_bytes(content)
        return Uploaded(transfer.no, transfer.attempts + 1, Receipt(len(content), "crc32:AAAAAA==", '"e"'))


class DirectoryBucket:
    """The bucket of a DirectoryEngine; the name `missing` is no bucket."""

    def __init__(self, root: Path, name: str) -> None:
        self._root = root
        self._name = name

    def check(self) -> None:
        """See `TargetBucket`."""
        if self._name == "missing":
            raise BucketNotFound("There is no bucket missing.")

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """See `TargetBucket`."""
        keys = sorted((path.name.replace("\u2044", "/") for path in self._root.iterdir()), key=str.encode)
        return (StoredObject(key, 0, "", 0) for key in keys if key.startswith(prefix))


class DirectoryResources:
    """Everything a worker holds open, on a directory."""

    def __init__(self, root: Path) -> None:
        root.mkdir(exist_ok=True)
        self._root = root
        self.directory_engine = DirectoryEngine(root)

    def bucket(self, connection: Connection, name: str) -> DirectoryBucket:
        """See `Resources`."""
        return DirectoryBucket(self._root, name)

    def engine(self, connection: Connection) -> DirectoryEngine:
        """See `Resources`."""
        return self.directory_engine
