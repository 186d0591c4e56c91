"""Whether the object under a key is our own earlier request, whose answer never came."""

from __future__ import annotations

from collections.abc import Callable

from s3tui.errors import ObjectExists, StorageError
from s3tui.model import ObjectRef, Receipt
from s3tui.storage.api import Api
from s3tui.transfer.checksums import Algorithm
from s3tui.transfer.etags import RunningETag
from s3tui.transfer.patience import Tries
from s3tui.transfer.source import PinnedSource

_STEP = 1 << 20


def unless_ours(request: Callable[[], Receipt], look: Callable[[], Receipt | None], *, first: bool, tries: Tries) -> Receipt:
    """What `request` answers, unless `look` finds that it has been done already.

    It is asked first of all if `first` says so, and when the key turns out to be taken after an attempt that had no answer. Raises
    what both raise.
    """
    if first and (receipt := look()):
        return receipt
    try:
        return request()
    except ObjectExists:
        if tries.unanswered and (receipt := look()):
            return receipt
        raise


def is_ours(
    api: Api,
    target: ObjectRef,
    source: PinnedSource,
    algorithm: Algorithm,
    watch: Callable[[], None],
    *,
    part_size: int = 0,
) -> Receipt | None:
    """The receipt of what is there, if it holds exactly the source's bytes.

    Held against the checksum that the store keeps, or against an ETag that is the MD5, or that of the MD5s of parts of `part_size`.
    None when neither proves it, or when the store does not let us look. Raises SourceError, and what `watch` raises.
    """
    try:
        head = api.head_object(target)
    except StorageError:
        return None
    if head.size != source.size:
        return None
    digest = source.checksum_of(algorithm, 0, source.size, watch).digest
    kept = head.checksums.get(algorithm.name)
    same = kept == digest if kept else head.etag == etag_like(head.etag, source, part_size, watch)
    source.ensure_unchanged()
    return Receipt(source.size, f"{algorithm.name}:{digest}", head.etag, head.version_id) if same else None


def etag_like(like: str, source: PinnedSource, part_size: int, watch: Callable[[], None]) -> str:
    """The ETag that the source would have if it were an MD5, of the same kind as another one: whole, or of parts' MD5s."""
    etag = RunningETag(part_size if "-" in like else 0)
    for start in range(0, source.size, _STEP):
        watch()
        etag.update(source.read_range(start, min(_STEP, source.size - start)))
    return etag.value
