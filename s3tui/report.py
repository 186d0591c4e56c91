"""How a job stands or ended: the report for programs, and what a person must know about failures.

The report is written in pages of rows, so a million files cost no more memory than a thousand.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from s3tui.model import Action, FileRow, FileState, Job, now_ms
from s3tui.state.store import Store
from s3tui.text import format_time

_PAGE = 500
_NAMED = 3
"""Failed files of one reason that a summary names."""


@dataclass(slots=True)
class FailureGroup:
    """The files that failed for one reason."""

    reason: str
    count: int = 0
    mendable: bool = False
    """Whether sending one of them again could help; what the plan itself refused stays refused."""
    first: list[FileRow] = field(default_factory=list)
    """The first few of them."""


def report_json(store: Store, job: Job) -> Iterator[str]:
    """The report of a job as pieces of one JSON document, in ASCII."""
    head = json.dumps(job_facts(job), indent=1)
    yield head.removesuffix("\n}") + ',\n "files": ['
    separator = "\n  "
    for row in _rows(store, job):
        yield separator + json.dumps(file_facts(row))
        separator = ",\n  "
    yield '\n ],\n "url": null,\n "rows": null\n}\n'


def job_facts(job: Job) -> dict[str, Any]:
    """The report of a job without its files. `seconds` go on until the job has ended."""
    spec = json.loads(job.spec)
    totals = job.totals
    return {
        "job": job.id,
        "kind": job.kind,
        "state": str(job.state),
        "dry_run": job.dry_run,
        "sources": spec.get("sources", []),
        "target": spec.get("target"),
        "started_at": format_time(job.started_at),
        "finished_at": format_time(job.finished_at),
        "seconds": seconds(job),
        "totals": {
            name: getattr(totals, name) for name in ("found", "uploaded", "skipped", "failed", "deleted", "bytes", "retries")
        },
        "reason": job.reason,
        "error": job.error,
    }


def file_facts(row: FileRow) -> dict[str, Any]:
    """One file of a report. A path that is not UTF-8 has lone surrogates, and is repeated as `path_base64`."""
    facts: dict[str, Any] = {
        "path": row.path.decode("utf-8", "surrogateescape"),
        "key": row.key,
        "size": row.size,
        "state": row.state.word,
        "action": row.action.word,
        "attempts": row.attempts,
        "checksum": row.checksum,
        "etag": row.etag,
        "reason": row.reason,
        "error": row.error,
    }
    if not facts["path"].isascii() and any("\udc80" <= character <= "\udcff" for character in facts["path"]):
        facts["path_base64"] = base64.b64encode(row.path).decode("ascii")
    return facts


def seconds(job: Job) -> float:
    """How long the job took, or has taken until now; 0 if it has not begun."""
    if job.started_at is None:
        return 0.0
    return max(0, (job.finished_at or now_ms()) - job.started_at) / 1000


def failures_by_reason(store: Store, job: Job) -> list[FailureGroup]:
    """The failed files of a job by reason, the most frequent first."""
    groups: dict[str, FailureGroup] = {}
    for row in store.transfers.of_state(job.no, FileState.FAILED):
        group = groups.setdefault(row.reason or "unknown", FailureGroup(row.reason or "unknown"))
        group.count += 1
        group.mendable |= row.action is not Action.FAIL
        if len(group.first) < _NAMED:
            group.first.append(row)
    return sorted(groups.values(), key=lambda group: -group.count)


def _rows(store: Store, job: Job) -> Iterator[FileRow]:
    """Numbers are dense, so a short page is the last one."""
    first = 0
    while page := store.transfers.window(job.no, first, _PAGE):
        yield from page
        first += _PAGE
