"""An object in one request."""

from __future__ import annotations

import hashlib
from typing import Any

from s3tui.errors import StorageError
from s3tui.model import Receipt
from s3tui.transfer.body import Body, hash_range
from s3tui.transfer.checksums import Checksum, checksum_of
from s3tui.transfer.flight import Flight

SMALL = 256 << 10
"""Files up to this many bytes are read once, into memory."""


def put_object(flight: Flight) -> Receipt:
    """Store the source with PutObject. Raises StorageError, SourceError or Cancelled."""
    flight.control.raise_if_cancelled()
    if flight.source.size <= SMALL:
        return _put_small(flight)
    checksum = hash_range(flight.source, 0, flight.source.size, flight.algorithm, flight.control.raise_if_cancelled)
    body = Body(flight.source, 0, checksum, watch=flight.control.raise_if_cancelled, advance=flight.advance)
    try:
        return _put(flight, body, checksum)
    except BaseException:
        body.withdraw()
        raise


def _put_small(flight: Flight) -> Receipt:
    data = flight.source.read_range(0, flight.source.size)
    flight.source.ensure_unchanged()
    receipt = _put(flight, data, checksum_of(flight.algorithm, data))
    flight.advance(len(data))
    return receipt


def _put(flight: Flight, body: Body | bytes, checksum: Checksum) -> Receipt:
    parameters = {**flight.address, **flight.parameters, **flight.condition, "Body": body, "ContentLength": checksum.length}

    def put(proof: dict[str, Any]) -> Any:  # noqa: ANN401 - boto3's answers have no shape
        return flight.ask("PutObject", lambda: flight.store.client.put_object(**parameters, **proof))

    answer = flight.store.with_checksum(put, {flight.algorithm.parameter: checksum.digest})
    return receipt_of(answer, checksum.length, f"{flight.algorithm.name}:{checksum.digest}")


def receipt_of(answer: Any, size: int, checksum: str) -> Receipt:  # noqa: ANN401
    """A receipt from what the store answered and what we know was sent."""
    return Receipt(size, checksum, answer.get("ETag", "").strip('"'), answer.get("VersionId", ""))


def recognise(flight: Flight) -> Receipt | None:
    """The receipt of the object that is already there, if it holds exactly these bytes: our own earlier request, unanswered.

    Held against the checksum that the store keeps, or against an ETag that is the MD5. None when neither proves it, or when the
    store does not let us look.
    """
    try:
        answer = flight.ask("HeadObject", lambda: flight.store.client.head_object(**flight.address, ChecksumMode="ENABLED"))
    except StorageError:
        return None
    source, watch = flight.source, flight.control.raise_if_cancelled
    if answer.get("ContentLength") != source.size:
        return None
    digest = hash_range(source, 0, source.size, flight.algorithm, watch).digest
    kept = answer.get(flight.algorithm.parameter)
    same = kept == digest if kept else answer.get("ETag", "").strip('"') == _md5(flight)
    source.ensure_unchanged()
    return receipt_of(answer, source.size, f"{flight.algorithm.name}:{digest}") if same else None


def _md5(flight: Flight) -> str:
    md5 = hashlib.md5(usedforsecurity=False)
    step = 1 << 20
    for start in range(0, flight.source.size, step):
        flight.control.raise_if_cancelled()
        md5.update(flight.source.read_range(start, min(step, flight.source.size - start)))
    return md5.hexdigest()
