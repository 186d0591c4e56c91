"""The objects of one video on their way: carried by the engine, and proven.

They are no files of the user's and have no rows: what is on S3 is known here, for as long as the video is being made. Should
nothing come of it, `jobs.clearing` removes what is below its prefix.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from s3tui.errors import Cancelled, S3tuiError, StorageError
from s3tui.events import Fact, Failed, Uploaded
from s3tui.jobs.context import Context
from s3tui.media.served import headers
from s3tui.model import Fingerprint, ObjectRef, Policy, Proof, Receipt, Transfer
from s3tui.transfer.progress import Progress
from s3tui.transfer.proof import Prover

_LOOKS_AT_A_TIME = 8
_PART_SIZE = 64 << 20
"""Segments are far smaller: each is one request, so that no multipart upload is ever left of a video."""


@dataclass(slots=True)
class _Outcomes:
    """Implements `Ledger`: what became of some transfers, by number."""

    facts: dict[int, Fact] = field(default_factory=dict)

    def record(self, facts: Sequence[Fact]) -> None:
        self.facts.update((fact.no, fact) for fact in facts)

    def flush(self) -> None:
        """Nothing is written down."""

    def receipt(self, no: int) -> Receipt:
        """Of one that was stored."""
        fact = self.facts[no]
        assert isinstance(fact, Uploaded)
        return fact.receipt

    def why_not_all(self) -> S3tuiError:
        """What kept one from being stored."""
        failed = next((fact for fact in self.facts.values() if isinstance(fact, Failed)), None)
        if failed is None:
            return Cancelled("The job was stopped.")
        return StorageError(failed.error, reason=failed.reason)


class Shipment:
    """Objects below one prefix. Used by one thread at a time."""

    def __init__(self, context: Context[Any], prefix: str) -> None:
        """`prefix` of the keys, ending in a slash."""
        spec, control = context.spec, context.control
        self._bucket, self._prefix = spec.bucket, prefix
        self._policy: Policy = replace(spec.policy, if_exists="overwrite", part_size=_PART_SIZE)
        self._control = control
        self._engine = context.resources.engine(spec.connection, spec.bucket)
        self._units, self._lease = context.store.units, context.lease
        api = context.resources.api(spec.connection, spec.bucket)
        checked = context.resources.checks(spec.connection, spec.bucket, spec.policy.checksum)
        self._prover = Prover(api, self._policy, control, checked=checked, looks=False)
        self._sent = 0
        self.receipts: dict[str, Receipt] = {}
        """What is on S3, by the name below the prefix."""
        self.proofs: dict[str, Proof] = {}
        """Of what is proven."""

    @property
    def stored(self) -> Mapping[str, int]:
        """Bytes of what is on S3."""
        return {name: receipt.size for name, receipt in self.receipts.items()}

    def send(self, files: Iterable[tuple[str, Path]]) -> None:
        """Store (name below the prefix, file) and prove it.

        Raises StorageError, SourceError, Cancelled when the job stops, and LeaseLost: the keys may be another worker's by now.
        """
        self._units.ensure_held(self._lease)
        by_headers = sorted(files, key=lambda file: headers(file[0]).content_type)
        for kind, group in groupby(by_headers, key=lambda file: headers(file[0])):
            stored = replace(self._policy.headers, content_type=kind.content_type, cache_control=kind.cache_control)
            self._send(list(group), replace(self._policy, headers=stored))

    def _send(self, files: Sequence[tuple[str, Path]], policy: Policy) -> None:
        transfers = [self._transfer(no, name, path) for no, (name, path) in enumerate(files, self._sent)]
        self._sent += len(files)
        outcomes = _Outcomes()
        self._engine.carry(transfers, policy, ledger=outcomes, progress=Progress(), control=self._control)
        names = {transfer.no: name for transfer, (name, _) in zip(transfers, files, strict=True)}
        stored = [transfer for transfer in transfers if isinstance(outcomes.facts.get(transfer.no), Uploaded)]
        self.receipts.update((names[transfer.no], outcomes.receipt(transfer.no)) for transfer in stored)
        with ThreadPoolExecutor(_LOOKS_AT_A_TIME, thread_name_prefix="proof") as pool:
            proofs = pool.map(lambda one: self._prover.prove(one.path, one.target, outcomes.receipt(one.no)), stored)
            self.proofs.update(zip((names[transfer.no] for transfer in stored), proofs, strict=True))
        if len(stored) < len(transfers):
            raise outcomes.why_not_all()

    def _transfer(self, no: int, name: str, path: Path) -> Transfer:
        target = ObjectRef(self._bucket, self._prefix + name)
        return Transfer(no, os.fsencode(path), target, Fingerprint.of(path.stat()))
