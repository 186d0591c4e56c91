"""What cancelled jobs left on the store, and no worker was there any more to remove.

Parts of uploads cost money and appear in no listing, so uploads are aborted until the store says so. Of a video that was never
published, segments are removed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from s3tui.errors import S3tuiError
from s3tui.jobs.context import Resources
from s3tui.jobs.own_prefix import clear
from s3tui.jobs.specs import decode_spec
from s3tui.jobs.workplaces import abandon
from s3tui.log_context import about
from s3tui.media.served import MASTER
from s3tui.model import Job, OpenUpload
from s3tui.state.store import Store
from s3tui.state.units import Claimant
from s3tui.text import display_text
from s3tui.transfer.aborting import drop
from s3tui.transfer.engine import Control
from s3tui.transfer.patience import persist

_T = TypeVar("_T")

_log = logging.getLogger(__name__)

_AT_A_TIME = 100
_ATTEMPTS = 3
"""How often each request is made before what it is about is left for later."""


class Swept(NamedTuple):
    """What became of the open uploads of cancelled jobs."""

    gone: int
    errors: dict[str, S3tuiError]
    """By job, why an upload of it is still open."""


def sweep(store: Store, resources: Resources, claimant: Claimant) -> Swept:
    """Abort the open uploads of cancelled jobs that this worker may take.

    One that the store does not let go of is tried again later. Raises StateError.
    """
    gone, errors, seen = 0, dict[str, S3tuiError](), set[tuple[int, int]]()
    while uploads := _new(store.multiparts.to_sweep(claimant, _AT_A_TIME), seen, lambda found: (found[0].no, found[1].no)):
        for job, upload in uploads:
            try:
                _drop(resources, job, upload)
            except S3tuiError as error:
                with about(job=job.id, code=error.reason):
                    _log.warning("The upload to %s is still open: %s", upload.target, error)
                errors[job.id] = error
                continue
            store.multiparts.dropped(job.no, upload.no)
            gone += 1
    return Swept(gone, errors)


def _new(page: Sequence[_T], seen: set[tuple[int, int]], place: Callable[[_T], tuple[int, int]]) -> list[_T]:
    """What this sweep has not seen: a store that never answers may take longer over one thing than that is kept from others."""
    new = [found for found in page if place(found) not in seen]
    seen.update(map(place, new))
    return new


def _drop(resources: Resources, job: Job, upload: OpenUpload) -> None:
    api = resources.api(decode_spec(job.kind, job.spec).connection, upload.target.bucket)
    persist(Control(1), _ATTEMPTS, lambda: drop(api, upload))


def sweep_videos(store: Store, resources: Resources, claimant: Claimant) -> None:
    """Remove the objects of videos that cancelled jobs never published. Raises StateError."""
    seen = set[tuple[int, int]]()
    while videos := _new(store.videos.to_sweep(claimant, _AT_A_TIME), seen, lambda found: (found[0].no, found[1])):
        for job, no, key in videos:
            spec = decode_spec(job.kind, job.spec)
            abandon(job.id, no)
            try:
                clear(resources, spec.connection, spec.bucket, key.removesuffix(MASTER), job.id, attempts=_ATTEMPTS)
            except S3tuiError as error:
                with about(job=job.id, code=error.reason):
                    _log.warning("Segments of %s are still there: %s", display_text(key), error)
                continue
            store.videos.swept(job.no, no)
