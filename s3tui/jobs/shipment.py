"""Objects that a job makes, on their way: carried by the engine, and proven.

They are no files of the user's and have no rows: what is on S3 is known here, for as long as a video is being made, or a batch has
not landed. Should nothing come of a video, `jobs.own_prefix` removes what is below its prefix.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from s3tui.errors import Cancelled, ObjectExists, S3tuiError, StorageError
from s3tui.events import Fact, Failed, Uploaded
from s3tui.jobs.context import Context
from s3tui.jobs.own_prefix import OWNER, taken
from s3tui.media.served import Headers, headers
from s3tui.model import Fingerprint, ObjectRef, Policy, Proof, Receipt, Transfer
from s3tui.transfer.patience import persist
from s3tui.transfer.progress import Progress
from s3tui.transfer.proof import Prover

_LOOKS_AT_A_TIME = 8
_PART_SIZE = 5 << 30
"""The most that one request may carry: each object is one, so that no multipart upload is ever left of them."""


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

    def __init__(
        self,
        context: Context[Any],
        prefix: str,
        *,
        served: Callable[[str], Headers] = headers,
        takes_prefix: bool = True,
    ) -> None:
        """`prefix` of the keys, ending in a slash. `served`: how a name's object is. `takes_prefix`: others might want it, too."""
        self._headers, self._takes_prefix = served, takes_prefix
        spec, control = context.spec, context.control
        self._bucket, self._prefix, self._job_id = spec.bucket, prefix, context.job.id
        owned = replace(spec.policy.headers, metadata=((OWNER, context.job.id),))
        self._policy: Policy = replace(spec.policy, if_exists="overwrite", part_size=_PART_SIZE, headers=owned)
        self._control = control
        self._engine = context.resources.engine(spec.connection, spec.bucket)
        self._units, self._lease = context.store.units, context.lease
        self._api = context.resources.api(spec.connection, spec.bucket)
        checked = context.resources.checks(spec.connection, spec.bucket, spec.policy.checksum)
        self._prover = Prover(self._api, self._policy, control, checked=checked, looks=False)
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
        """Store (name below the prefix, file) and prove it. The first object of all takes the prefix.

        Raises StorageError, ObjectExists when another job has taken the prefix, SourceError, Cancelled when the job stops, and
        LeaseLost: the keys may be another worker's by now.
        """
        self._units.ensure_held(self._lease)
        by_headers = sorted(files, key=lambda file: self._headers(file[0]).content_type)
        if by_headers and self._takes_prefix and not self.receipts:
            self._take_prefix(*by_headers.pop(0))
        for served, group in groupby(by_headers, key=lambda file: self._headers(file[0])):
            self._send(list(group), self._served(served))

    def take(self, name: str) -> tuple[Receipt, Proof]:
        """Of what is on S3, and not to be remembered any longer."""
        return self.receipts.pop(name), self.proofs.pop(name)

    def _served(self, served: Headers) -> Policy:
        stored = replace(self._policy.headers, content_type=served.content_type, cache_control=served.cache_control)
        return replace(self._policy, headers=stored)

    def _take_prefix(self, name: str, path: Path) -> None:
        policy = self._served(self._headers(name))
        try:
            self._send([(name, path)], replace(policy, if_exists="fail"))
        except StorageError as error:
            if error.reason != ObjectExists.reason:
                raise
            if not self._is_own(name):
                raise taken(self._prefix) from error
            self._send([(name, path)], policy)  # it was stored, and the answer got lost

    def _is_own(self, name: str) -> bool:
        target = ObjectRef(self._bucket, self._prefix + name)
        owner = (OWNER, self._job_id)
        return owner in persist(self._control, self._policy.max_attempts, lambda: self._api.head_object(target)).metadata.items()

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
