"""What the plan of an ingest job says of each file: how it is written, its columns, its first rows, and what would be rejected."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TextIO

from s3tui.text import display_text, format_size, plural, separated_words

if TYPE_CHECKING:
    from s3tui.model import FileRow, Job
    from s3tui.service import Service

_PAGE = 500
_COLUMNS = 12
_CELL = 24


def print_csv_plan(service: Service, job: Job, stream: TextIO) -> None:
    """The plan, file by file, then the totals."""
    facts = service.csv_facts(job)
    first = 0
    while page := service.window(job, first, _PAGE):
        for row in page:
            _print_file(row, facts.get(row.no), stream)
        first += _PAGE
    rows, rejected = (sum(one.get("counted", {}).get(name, 0) for one in facts.values()) for name in ("rows", "rejected"))
    batches = service.outlook(job).requests
    table = json.loads(job.spec).get("table") or "ingest_rows"
    batched = f"{plural(batches, 'batch', 'batches')} of {plural(job.totals.found, 'file')}"
    words = f"{plural(rows, 'row')} for the table {table}, in {batched}"
    print(f"Plan {job.id}: {words}, {rejected:,} rejected, {job.totals.failed} failed. Nothing was written to S3.", file=stream)
    print(f"`s3tui jobs apply {job.id}` runs exactly this plan.", file=stream)


def _print_file(row: FileRow, facts: dict[str, Any] | None, stream: TextIO) -> None:
    print(f"{display_text(row.path)} ({format_size(row.size)})", file=stream)
    if row.error:
        print(f"  fails: {display_text(row.error)}", file=stream)
    if facts is None or row.error:
        return
    quotes = f", quoted by {facts['quote']}" if facts["quote"] else ", no quotes"
    print(f"  {facts['encoding']}, {separated_words(facts['delimiter'])}{quotes}", file=stream)
    types = facts.get("types") or ["text"] * len(facts["columns"])
    columns = [f"{name} {kind}" for name, kind in zip(facts["columns"], types, strict=True)]
    print(f"  {plural(len(columns), 'column')}: {_listed(columns)}", file=stream)
    for cells in facts.get("sample", []):
        print(f"    {' | '.join(_cell(cell) for cell in cells[:_COLUMNS])}{' | ...' if len(cells) > _COLUMNS else ''}", file=stream)
    counted = dict(facts.get("counted", {}))
    rows, rejected = counted.pop("rows", 0), counted.pop("rejected", 0)
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in counted.items())
    print(f"  {plural(rows, 'row')}, {rejected:,} rejected{f' ({reasons})' if reasons else ''}", file=stream)


def _listed(columns: list[str]) -> str:
    more = len(columns) - _COLUMNS
    return ", ".join(map(_cell, columns[:_COLUMNS])) + (f" and {more} more" if more > 0 else "")


def _cell(text: str) -> str:
    shown = display_text(text)
    return shown if len(shown) <= _CELL else shown[: _CELL - 1] + "…"
