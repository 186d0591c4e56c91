"""A transfer engine that carries into a directory: a real implementation, for tests of what stands above engines."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

from s3tui.errors import BucketNotFound, S3tuiError, StorageError
from s3tui.events import Fact, Failed, Uploaded, UploadIntended, UploadOpened
from s3tui.media.binary import Ffmpeg
from s3tui.model import Connection, ObjectRef, Policy, Receipt, StoredObject, Transfer
from s3tui.storage.api import Api, ListedUpload, PartPage
from s3tui.transfer.engine import Control, Ledger
from s3tui.transfer.progress import Progress


class DirectoryEngine:
    """Copies each file to `root/key`. A test may hold it: then files wait, in flight, until they are let go.

    Files whose key is in `refused` fail; those in `abandoned` leave an upload open besides. While `trouble` is set, it is raised
    instead of carrying anything.
    """

    def __init__(self, root: Path, api: DirectoryApi) -> None:
        self._root = root
        self._api = api
        self._let_go = threading.Event()
        self._let_go.set()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(64)
        self._control = Control(1)
        self.sent: Counter[str] = Counter()
        self.refused: set[str] = set()
        self.abandoned: set[str] = set()
        self.trouble: S3tuiError | None = None
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
        ledger: Ledger,
        progress: Progress,
        control: Control,
    ) -> None:
        """See `Engine`."""
        self._control = control
        if self.trouble is not None:
            raise self.trouble
        waiting = iter(transfers)
        futures = []
        while control.take_slot():
            transfer = next(waiting, None)
            if transfer is None:
                control.give_slot()
                break
            futures.append(self._pool.submit(self._carry_one, transfer, policy, ledger, progress, control))
        for future in futures:
            future.result()

    def close(self) -> None:
        """See `Engine`."""
        self._pool.shutdown()

    def _carry_one(self, transfer: Transfer, policy: Policy, ledger: Ledger, progress: Progress, control: Control) -> None:
        with self._lock:
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        progress.start(transfer.no, transfer.fingerprint.size, 1)
        try:
            while not self._let_go.wait(0.02):
                if control.broken_off:
                    return
            ledger.record(self._outcome(transfer, policy))
        finally:
            progress.end(transfer.no)
            with self._lock:
                self.in_flight -= 1
            control.give_slot()

    def _outcome(self, transfer: Transfer, policy: Policy) -> list[Fact]:
        no, key = transfer.no, transfer.target.key
        with self._lock:
            self.sent[key] += 1
        failed = Failed(no, transfer.attempts + 1, "access_denied", f"{key} was refused.")
        if key in self.abandoned:
            self._api.uploads.add(upload := f"upload of {key}")
            begun = UploadIntended(no, transfer.target, 8 << 20, transfer.fingerprint, policy.checksum)
            return [begun, UploadOpened(no, upload), failed]
        if key in self.refused:
            return [failed]
        content = Path(os.fsdecode(transfer.path)).read_bytes()
        (self._root / key.replace("/", "\u2044")).write_bytes(content)
        return [Uploaded(no, transfer.attempts + 1, Receipt(len(content), "crc32:AAAAAA==", '"e"'))]


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


class DirectoryApi:
    """The multipart uploads of a DirectoryBucket: their ids are kept in `uploads` while they are open."""

    def __init__(self) -> None:
        self.uploads: set[str] = set()

    def abort_multipart_upload(self, target: ObjectRef, upload_id: str) -> None:
        """See `Api`."""
        self.uploads.discard(upload_id)

    def list_parts(self, target: ObjectRef, upload_id: str, *, marker: int = 0) -> PartPage:
        """See `Api`."""
        if upload_id in self.uploads:
            return PartPage([], 0)
        raise StorageError(f"There is no upload {upload_id}.", code="NoSuchUpload", status=404)

    def list_multipart_uploads(self, bucket: str, prefix: str) -> list[ListedUpload]:
        """See `Api`."""
        return []


class DirectoryResources:
    """Everything a worker holds open, on a directory."""

    def __init__(self, root: Path) -> None:
        root.mkdir(exist_ok=True)
        self._root = root
        self.directory_api = DirectoryApi()
        self.directory_engine = DirectoryEngine(root, self.directory_api)

    def bucket(self, connection: Connection, name: str) -> DirectoryBucket:
        """See `Resources`."""
        return DirectoryBucket(self._root, name)

    def api(self, connection: Connection, bucket: str) -> Api:
        """See `Resources`; it can do what dropping an upload takes."""
        return cast(Api, self.directory_api)

    def url(self, connection: Connection, target: ObjectRef) -> str:
        """See `Resources`."""
        return f"{self._root.as_uri()}/{target.bucket}/{target.key}"

    def ffmpeg(self) -> Ffmpeg:
        """See `Resources`."""
        raise NotImplementedError

    def encoder_threads(self) -> int:
        """See `Resources`."""
        raise NotImplementedError

    def checks(self, connection: Connection, bucket: str, checksum: str) -> bool:
        """See `Resources`."""
        return True

    def keeps_conditions(self, connection: Connection, bucket: str, *, ask: bool) -> bool | None:
        """See `Resources`."""
        return True

    def engine(self, connection: Connection, bucket: str) -> DirectoryEngine:
        """See `Resources`."""
        return self.directory_engine
