"""Results, on standard output: tables and summaries for people, JSON for programs."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterable, Mapping, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from s3tui.errors import SpecError
from s3tui.model import Action, Job, JobState
from s3tui.text import display_text, format_duration, format_rate, format_size, format_time

if TYPE_CHECKING:
    from s3tui.service import Service

_PAGE = 500


def exit_code(job: Job, *, foretells_rejects: bool = False) -> int:
    """What the state of a job means for a script. A plan in which files fail foretells what applying it would give."""
    if job.state in (JobState.PLANNED, JobState.COMPLETED):
        return 2 if job.totals.failed or foretells_rejects else 0
    return 2 if job.state is JobState.PARTIAL else 1


def note(text: str) -> None:
    """A line for the person at the terminal."""
    print(display_text(text), file=sys.stderr, flush=True)


def print_json(value: object) -> None:
    """One value as one line."""
    print(json.dumps(value), flush=True)


def check_one_stdout(wanted: Mapping[str, bool]) -> None:
    """See that of these options at most one wants standard output. Raises SpecError."""
    both = [option for option, wants in wanted.items() if wants]
    if len(both) > 1:
        raise SpecError(f"{' and '.join(both)} both want standard output: write the report to a file.")


def check_report_file(name: str | None) -> None:
    """See that a report can be written there before any work is done. Raises SpecError."""
    if name in (None, "-"):
        return
    assert name is not None
    path = Path(name)
    if (
        path.is_dir()
        or not path.absolute().parent.is_dir()
        or not os.access(path if path.exists() else path.absolute().parent, os.W_OK)
    ):
        raise SpecError(f"The report cannot be written to {display_text(name)}: give a file in a directory that you may write to.")


def write_report(pieces: Iterable[str], name: str) -> None:
    """Write a report to a file, or to standard output for `-`. A regular file is replaced at once, never half written."""
    if name == "-":
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
        sys.stdout.writelines(pieces)
        sys.stdout.flush()
        return
    path = Path(name)
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        with _utf8(path) as stream:
            stream.writelines(pieces)
        return
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with _utf8(unfinished) as stream:
            stream.writelines(pieces)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def print_jobs(jobs: Sequence[Job], stream: TextIO) -> None:
    """A table of jobs, the id first; with a head for people, without one for pipes."""
    rows = [_job_cells(job) for job in jobs]
    if stream.isatty():
        rows.insert(0, ("ID", "KIND", "STATE", "DONE", "FAILED", "SIZE", "BEGUN", "TARGET"))
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(8)]
    for row in rows:
        cells = [
            cell.rjust(width) if column in (3, 4, 5) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip(), file=stream)


def print_job(service: Service, job: Job, stream: TextIO) -> None:
    """All that a person may want to know of one job."""
    spec = json.loads(job.spec)
    state = f"{job.state} (dry run)" if job.dry_run else f"{job.state} (watches its sources)" if job.watches else str(job.state)
    facts = {
        "Job": job.id,
        "Kind": job.kind,
        "State": state,
        "Sources": ", ".join(display_text(source) for source in spec.get("sources", [])),
        "Target": display_text(spec.get("target", "")),
        "Created": format_time(job.created_at),
        "Started": format_time(job.started_at) or "not yet",
        "Finished": format_time(job.finished_at) or "not yet",
        "Concurrency": str(job.concurrency),
        "Bandwidth": f"{format_rate(job.bandwidth)} for each worker" if job.bandwidth else "no limit",
        "Files": _counts(job),
        "Size": f"{format_size(job.totals.bytes)} of {format_size(job.totals.bytes_found)} stored",
    }
    for name, value in facts.items():
        print(f"{name:<12} {value}", file=stream)
    if job.error:
        print(f"{'Error':<12} {display_text(job.error)}", file=stream)
    if job.kind == "ingest":
        _print_rows(service, job, stream)
    _print_skips(service, job, stream)
    print_failures(service, job, stream)


def print_summary(service: Service, job: Job, stream: TextIO) -> None:
    """How a job ended: counts, bytes, time, skips and failures by reason, and the next step."""
    from s3tui.report import seconds

    taken = seconds(job)
    totals = job.totals
    rate = f" ({format_size(totals.bytes / taken)}/s)" if taken > 0 and totals.bytes else ""
    print(
        f"Job {job.id} {_ended(job)}: {_counts(job)}; {format_size(totals.bytes)} in {format_duration(taken)}{rate}.", file=stream
    )
    if job.kind == "ingest":
        _print_rows(service, job, stream)
    _print_skips(service, job, stream)
    mendable = print_failures(service, job, stream) and job.state is not JobState.CANCELLED
    retry = f"`s3tui jobs retry {job.id}` sends what failed again; " if mendable else ""
    if job.totals.failed:
        print(f"{retry}`s3tui jobs report {job.id}` names every file.", file=stream)
    elif job.state is JobState.FAILED and job.totals.found:
        print(f"`s3tui jobs resume {job.id}` goes on with it when the cause is gone.", file=stream)


def print_failures(service: Service, job: Job, stream: TextIO) -> bool:
    """The failed files by reason, the first few named; returns whether sending any of them again could help."""
    groups = service.failures(job) if job.totals.failed else []
    for group in groups:
        print(f"  {group.count} failed, {group.reason}:", file=stream)
        for row in group.first:
            print(f"    {display_text(row.path)}: {display_text(row.error or row.reason or 'unknown')}", file=stream)
        if group.count > len(group.first):
            print(f"    and {group.count - len(group.first)} more", file=stream)
    return any(group.mendable for group in groups)


def print_plan(service: Service, job: Job, stream: TextIO) -> None:
    """What applying a plan would do to each file and why, then the totals."""
    if job.kind == "ingest":
        from s3tui.cli.csv_plan import print_csv_plan

        print_csv_plan(service, job, stream)
        return
    first = 0
    while page := service.window(job, first, _PAGE):
        for row in page:
            why = f"  ({row.error or row.reason})" if row.reason else ""
            target = f" -> {row.key}" if row.action not in (Action.SKIP, Action.FAIL) else ""
            print(
                display_text(f"{row.action.word:<9} {format_size(row.size):>9}  ")
                + display_text(row.path)
                + display_text(target + why),
                file=stream,
            )
        first += _PAGE
    ahead = service.outlook(job)
    counts = ", ".join(f"{files} {action.word} ({format_size(size)})" for action, (files, size) in ahead.actions.items())
    size = format_size(job.totals.bytes_found)
    requests = f"{ahead.requests} request{'' if ahead.requests == 1 else 's'}"
    print(
        f"Plan {job.id}: {counts or 'nothing found'}; {size} to send in about {requests}. Nothing was written to S3.", file=stream
    )
    print(f"`s3tui jobs apply {job.id}` runs exactly this plan.", file=stream)


def plan_facts(service: Service, job: Job) -> Iterable[dict[str, Any]]:
    """Each file of a plan for JSON Lines."""
    from s3tui.report import file_facts

    first, tables = 0, service.csv_facts(job)
    while page := service.window(job, first, _PAGE):
        for row in page:
            more = {"csv": tables[row.no]} if row.no in tables else {}
            yield {"event": "file", "job": job.id, "no": row.no, **file_facts(row), **more}
        first += _PAGE


def _print_skips(service: Service, job: Job, stream: TextIO) -> None:
    for reason, count in service.skips(job) if job.totals.skipped else ():
        print(f"  {count} skipped, {reason}", file=stream)


def _print_rows(service: Service, job: Job, stream: TextIO) -> None:
    """What became of the rows of an ingest job, and where those are that were rejected."""
    counts = service.row_counts(job).values()
    rows = [one["rows"] for one in counts]
    read, inserted, rejected = (sum(one[name] for one in rows) for name in ("read", "inserted", "rejected"))
    print(f"  {inserted:,} {'row' if inserted == 1 else 'rows'} inserted, {rejected:,} rejected of {read:,} read", file=stream)
    for reason, count in service.rejects(job) if rejected else ():
        print(f"    {count:,} {reason}", file=stream)
    for one in counts:
        if one["rejects_url"]:
            print(f"    {display_text(one['rejects_url'])} has them, to be mended and ingested again", file=stream)


def _utf8(path: Path) -> TextIO:
    """The file, opened for a report. Lone surrogates, of a name that is not UTF-8, are written as JSON writes them."""
    return path.open("w", encoding="utf-8", errors="backslashreplace", newline="")


def _job_cells(job: Job) -> tuple[str, ...]:
    totals = job.totals
    done = f"{totals.uploaded + totals.skipped}/{totals.found}{'' if job.planned else '+'}"
    target = display_text(json.loads(job.spec).get("target", ""))
    begun = format_time(job.started_at or job.created_at) or ""
    return job.id, job.kind, str(job.state), done, str(totals.failed), format_size(totals.bytes), begun, target


def _counts(job: Job) -> str:
    totals = job.totals
    words = [f"{totals.uploaded} uploaded", f"{totals.skipped} skipped", f"{totals.failed} failed"]
    if totals.deleted:
        words.append(f"{totals.deleted} deleted")
    if totals.retries:
        words.append(f"{totals.retries} {'retry' if totals.retries == 1 else 'retries'}")
    return f"{', '.join(words)} of {totals.found} found"


def _ended(job: Job) -> str:
    return {JobState.PARTIAL: "ended in part"}.get(job.state, str(job.state))
