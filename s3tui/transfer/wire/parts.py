"""`PartSender` over the crew."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Self

from s3tui.errors import S3tuiError
from s3tui.model import ObjectRef, Policy, StoredPart
from s3tui.transfer.engine import Control
from s3tui.transfer.multipart import Part
from s3tui.transfer.patience import use_up
from s3tui.transfer.source import PinnedSource
from s3tui.transfer.wire.office import Office
from s3tui.transfer.wire.orders import PartOrder
from s3tui.transfer.wire.outstanding import PartOutcome


class WireParts:
    """Orders the parts of one file. Use it as a context manager: meanwhile the crew knows the job."""

    def __init__(self, office: Office, control: Control, target: ObjectRef, policy: Policy) -> None:
        self._office = office
        self._control = control
        self._target = target
        self._policy = policy
        self._group = 0

    def __enter__(self) -> Self:
        self._group = self._office.join(self._control)
        return self

    def __exit__(self, *_: object) -> None:
        self._office.leave(self._control)

    def send(self, source: PinnedSource, part: Part, moved: Callable[[int], None]) -> Future[StoredPart]:
        """See `PartSender`."""
        size, mtime_ns, inode = source.fingerprint
        order = PartOrder(
            (self._target.bucket, self._target.key),
            source.path,
            (size, mtime_ns, inode),
            part.upload_id,
            part.number,
            part.offset,
            part.length,
            self._policy.checksum,
            self._policy.max_attempts,
            part.proves,
        )
        outcome = self._office.send_part(self._group, order, moved)
        stored: Future[StoredPart] = Future()
        outcome.add_done_callback(lambda done: _pass_on(part.number, done, stored))
        return stored

    def give_up(self) -> None:
        """See `PartSender`: what is in flight ends soon enough by itself."""


def _pass_on(number: int, outcome: Future[PartOutcome], stored: Future[StoredPart]) -> None:
    error = outcome.exception()
    if error is not None:
        stored.set_exception(use_up(error) if isinstance(error, S3tuiError) else error)
    else:
        size, checksum, etag = outcome.result()
        stored.set_result(StoredPart(number, size, checksum, etag))
