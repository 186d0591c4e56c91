"""How a job stands or ended: the report for programs, and what a person must know about failures and skips.

The report is written in pages of rows, so a million files cost no more memory than a thousand.
"""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from s3tui.model import (
    Action,
    FileRow,
    FileState,
    Job,
    JobState,
    Policy,
    RejectChoice,
    RejectLine,
    RejectWay,
    RowCounts,
    VideoSample,
    now_ms,
)
from s3tui.state.store import Store
from s3tui.tabular.encoding import decode_marked
from s3tui.text import format_time
from s3tui.transfer.part_sizes import MAX_PARTS, large_from, part_size_for

NAMED = 3
"""Failed files of one reason that a summary names."""

_PROOFS = {"backup": 1}
"""Requests by which a kind of job proves one file, at most."""

_COLUMNS = ("path", "key", "size", "state", "action", "attempts", "checksum", "etag", "reason", "error", "proof", "path_base64")

_HALF_CHARACTER = "".join(map(chr, range(0xDC00, 0xDD00)))
"""How the bytes of a character are read that was cut in two."""

_STATES = {int(state): state.word for state in FileState}
_ACTIONS = {int(action): action.word for action in Action}


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """The files that failed for one reason."""

    reason: str
    count: int
    mendable: int
    """How many of them sending again could help; what the plan itself refused stays refused."""
    size: int
    first: list[FileRow]
    """The first few of them."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What applying a plan would take."""

    actions: Mapping[Action, tuple[int, int]]
    """Files and bytes, by what would happen to them."""
    requests: int
    """An estimate: every request succeeds at once. The target need not be listed again."""


def outlook(store: Store, job: Job) -> Outlook:
    """What applying the job's plan would take; counted by the database."""
    asked = json.loads(job.spec).get("policy", {})
    policy = Policy(part_size=asked.get("part_size", 0), if_exists=asked.get("if_exists", "overwrite"))
    planned = store.transfers.by_action(
        job.no, large_from=large_from(policy), part_size=part_size_for(0, policy.part_size), most_parts=MAX_PARTS
    )
    requests = 0
    for action in planned.keys() - {Action.SKIP, Action.FAIL}:
        files, _bytes, large, parts = planned[action]
        looks = action is Action.NEW or policy.if_exists != "overwrite"  # what is new may not be overwritten, if it came meanwhile
        requests += files - large + parts + large * (3 if looks else 2) + files * _PROOFS.get(job.kind, 0)
    if job.kind == "ingest":
        requests = store.ingests.batches(job.no)
    return Outlook({action: (files, size) for action, (files, size, *_) in planned.items()}, requests)


def report_head(store: Store, job: Job) -> dict[str, Any]:
    """The report of a job without its files; that of a plan tells its outlook besides."""
    facts = job_facts(job)
    if job.state is JobState.PLANNED:
        ahead = outlook(store, job)
        facts["requests"] = ahead.requests
        facts["actions"] = {action.word: {"files": files, "bytes": size} for action, (files, size) in ahead.actions.items()}
    return facts


def report_json(store: Store, job: Job) -> Iterator[str]:
    """The report of a job as pieces of one JSON document, in ASCII."""
    head = json.dumps(report_head(store, job), indent=1)
    yield head.removesuffix("\n}") + ',\n "files": ['
    separator = "\n  "
    rows = row_facts(store, job) if job.kind == "ingest" else {}
    plans = csv_facts(store, job) if job.state is JobState.PLANNED else {}
    first = 0
    for page in store.transfers.pages(job.no):
        files = [_file_json(*row) for row in page]
        if job.kind == "video":
            videos = store.videos.published_of(job.no, range(first, first + len(page)))
            files = [_with_address(text, videos.get(no)) for no, text in enumerate(files, first)]
        elif job.kind == "ingest":
            files = [_with_rows(text, rows.get(no), plans.get(no)) for no, text in enumerate(files, first)]
        yield separator + ",\n  ".join(files)
        separator = ",\n  "
        first += len(page)
    address = json.dumps(store.videos.first_address(job.no))
    yield f'\n ],\n "url": {address},\n "rows": {json.dumps(rows_of(store, job))}\n}}\n'


def report_csv(store: Store, job: Job) -> Iterator[str]:
    """The files of a job as pieces of one CSV document (RFC 4180, with a header), with the fields that the JSON has.

    A path that is not UTF-8 has lone surrogates, which whoever writes the text must escape as JSON does, and `path_base64`. Values
    stand as they are: one that begins with `=` is a formula to a spreadsheet, but changed it would not name its file any more.
    """
    yield _csv([_COLUMNS])
    for page in store.transfers.pages(job.no):
        yield _csv(_file_columns(*row) for row in page)


def job_facts(job: Job) -> dict[str, Any]:
    """What the job's own row tells, as the report has it. `seconds` go on until the job has ended."""
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
        "proof": row.proof,
        "reason": row.reason,
        "error": row.error,
    }
    if not _is_utf8(facts["path"]):
        facts["path_base64"] = base64.b64encode(row.path).decode("ascii")
    return facts


def video_facts(video: VideoSample) -> dict[str, Any]:
    """One video that is being made, as programs are told of it: times in seconds, `segments` those on S3."""
    counts = zip(video.renditions, video.sent, strict=True)
    return {
        "no": video.no,
        "phase": str(video.phase),
        "seconds_made": round(video.made, 3),
        "seconds": round(video.total, 3),
        "speed": video.speed,
        "fps": video.fps,
        "seconds_left": video.seconds_left,
        "renditions": [{"name": name, "segments": sent} for name, sent in counts],
    }


def _file_json(
    raw_path: bytes,
    key: str | None,
    size: int,
    state: int,
    action: int,
    attempts: int,
    checksum: str | None,
    etag: str | None,
    reason: str | None,
    error: str | None,
    proof: str | None,
) -> str:
    """What `json.dumps` makes of `file_facts`, in a fifth of the time: a report may have a million of them."""
    path = raw_path.decode("utf-8", "surrogateescape")
    facts = (
        f'{{"path": {quoted(path)}, "key": {_json(key)}, "size": {size}, '
        f'"state": "{_STATES[state]}", "action": "{_ACTIONS[action]}", "attempts": {attempts}, '
        f'"checksum": {_json(checksum)}, "etag": {_json(etag)}, "proof": {_json(proof)}, '
        f'"reason": {_json(reason)}, "error": {_json(error)}'
    )
    return facts + "}" if _is_utf8(path) else f'{facts}, "path_base64": "{base64.b64encode(raw_path).decode("ascii")}"}}'


def _with_address(text: str, published: tuple[str, list[dict[str, Any]]] | None) -> str:
    """The JSON of a file, and where its video is, if it is published."""
    url, renditions = published or (None, None)
    return f'{text.removesuffix("}")}, "url": {json.dumps(url)}, "renditions": {json.dumps(renditions)}}}'


def rows_of(store: Store, job: Job) -> dict[str, int] | None:
    """The rows of all files of an ingest job, as its report has them; None of another job."""
    return _counted(store.ingests.sum(job.no)) if job.kind == "ingest" else None


def row_facts(store: Store, job: Job) -> dict[int, dict[str, Any]]:
    """`rows` and `rejects_url` of each CSV file whose header was read, by number."""
    counts = store.ingests.counts(job.no).items()
    return {no: {"rows": _counted(RowCounts(one.inserted, one.rejected)), "rejects_url": one.rejects_url} for no, one in counts}


def csv_facts(store: Store, job: Job, numbers: Sequence[int] | None = None) -> dict[int, dict[str, Any]]:
    """What the plan of an ingest job says of each of these files (None: all) whose header could be read, by number.

    `encoding`, `delimiter`, `quote`, `columns`, `types`, `sample` (its first rows); of a dry run `counted`, too: `rows`,
    `rejected`, and how many for each reason.
    """
    known = store.ingests.facts(job.no, numbers) if job.kind == "ingest" else {}
    return {no: {name: value for name, value in facts.items() if name not in ("table", "schema")} for no, facts in known.items()}


def reject_lines(store: Store, job: Job, chosen: RejectChoice, way: RejectWay) -> list[RejectLine]:
    """A page of the rejected records of an ingest job, as texts."""
    found = store.rejects.page(job.no, chosen, way)
    encodings = _encodings(store, job, {one.file_no for one in found})
    lines = []
    for file_no, record, line, reason, detail, head, size in found:
        text, whole = decode_marked(head, encodings[file_no]), len(head) == size
        text = text if whole else text.rstrip(_HALF_CHARACTER)
        lines.append(RejectLine(file_no, record, line, reason, detail, text, size, whole))
    return lines


def reject_text(store: Store, job: Job, file_no: int, record: int) -> str | None:
    """All of a rejected record, as text; None if it is not there any more."""
    raw = store.rejects.raw(job.no, file_no, record)
    return None if raw is None else decode_marked(raw, _encodings(store, job, {file_no})[file_no])


def _encodings(store: Store, job: Job, numbers: Iterable[int]) -> dict[int, str]:
    return {no: facts["table"]["encoding"]["name"] for no, facts in store.ingests.facts(job.no, sorted(numbers)).items()}


def _counted(counts: RowCounts) -> dict[str, int]:
    return {"read": counts.read, "inserted": counts.inserted, "rejected": counts.rejected}


def _with_rows(text: str, facts: dict[str, Any] | None, plan: dict[str, Any] | None) -> str:
    """The JSON of a file, and what became of its rows; of a plan, how it is written."""
    more: dict[str, Any] = facts or {"rows": None, "rejects_url": None}
    if plan is not None:
        more = more | {"csv": plan}
    return f"{text.removesuffix('}')}, {json.dumps(more)[1:]}"


def _csv(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _file_columns(raw_path: bytes, key: str | None, size: int, state: int, action: int, *rest: object) -> tuple[object, ...]:
    """The values of `_COLUMNS`."""
    path = raw_path.decode("utf-8", "surrogateescape")
    again = "" if _is_utf8(path) else base64.b64encode(raw_path).decode("ascii")
    return path, key, size, _STATES[state], _ACTIONS[action], *rest, again


def _json(text: str | None) -> str:
    return "null" if text is None else quoted(text)


def _is_utf8(path: str) -> bool:
    return path.isascii() or not any("\udc80" <= character <= "\udcff" for character in path)


def seconds(job: Job) -> float:
    """How long the job took, or has taken until now; 0 if it has not begun."""
    if job.started_at is None:
        return 0.0
    return max(0, (job.finished_at or now_ms()) - job.started_at) / 1000


def failures_by_reason(store: Store, job: Job, named: int = NAMED) -> list[FailureGroup]:
    """The failed files of a job by reason, the most frequent first, the first few of each named. O(n) in the database."""
    return [
        FailureGroup(cause.reason, cause.files, cause.mendable, cause.size, store.transfers.failed(job.no, cause, named))
        for cause in store.transfers.causes(job.no)
    ]
