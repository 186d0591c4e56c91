"""CSV files that are ingested, in words for the screens."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rich.cells import cell_len

from s3tui.model import Job
from s3tui.text import display_text, format_duration, format_size, plural, separated_words
from s3tui.tui.cells import left
from s3tui.tui.door import Door, Sight
from s3tui.tui.figures import endings

Lines = tuple[tuple[str, str], ...]
"""(name, text) of what there is to say of a file."""
Sheet = tuple[tuple[str, ...], ...]
"""Rows of cells that may be shown; the first are the names of the columns."""
Reasons = Sequence[tuple[str, int]]
"""(reason, count), the most frequent first."""

COUNTING_SHARE = 5
"""Between two counts of the reasons, which take long if there are many rejects, so many times that passes."""
_WINDOW_SECONDS = 10.0
_LISTED = 6
"""Columns that are named in a sentence."""
_SHEET_COLUMNS = 40
_CELL = 24
_GAP = "  "


class CsvCounts(NamedTuple):
    """What has become of the rows of a file."""

    read: int
    inserted: int
    rejected: int
    rejects_url: str | None = None


@dataclass(frozen=True, slots=True)
class CsvSeen:
    """What a look at an ingest job has read besides its files."""

    counts: Mapping[int, CsvCounts] = field(default_factory=dict)
    """By number, of each file whose header was read."""
    facts: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    """How a file is written, see `Door.csv_facts`; of the one that was asked for."""
    reasons: Reasons | None = None
    """None: they were not asked for."""
    counting: float = 0.0
    """Seconds that counting them took."""


@dataclass(frozen=True, slots=True)
class CsvAhead:
    """What the plan of an ingest job has counted, over all files."""

    rows: int
    rejected: int
    reasons: Reasons
    batches: int


def read_csv(door: Door, sight: Sight, described: int | None, *, reasons: bool) -> CsvSeen:
    """Look at the rows of an ingest job, and at how the file with a number is written. Blocks on the database."""
    job = sight.job
    counts = counts_of(door, job)
    facts = {} if described is None else door.csv_facts(job, [described])
    if not reasons:
        return CsvSeen(counts, facts)
    begun = time.monotonic()
    return CsvSeen(counts, facts, door.rejects(job), time.monotonic() - begun)


def counts_of(door: Door, job: Job) -> dict[int, CsvCounts]:
    """What has become of the rows of each file whose header was read, by number. Blocks on the database."""
    return {no: CsvCounts(**one["rows"], rejects_url=one["rejects_url"]) for no, one in door.row_counts(job).items()}


def ahead_of(facts: Iterable[Mapping[str, Any]], batches: int) -> CsvAhead:
    """The sums of what was counted of each file."""
    counted: Counter[str] = Counter()
    for one in facts:
        counted.update(one.get("counted", {}))
    rows, rejected = counted.pop("rows", 0), counted.pop("rejected", 0)
    return CsvAhead(rows, rejected, counted.most_common(), batches)


class Pace:
    """Measures rows and bytes per second, over the last seconds."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int, int]] = deque()

    def look(self, now: float, rows: int, sent: int) -> tuple[float, float] | None:
        """(rows, bytes) per second at `now`, in seconds of a monotonic clock; None at the first look."""
        self._samples.append((now, rows, sent))
        while now - self._samples[0][0] > _WINDOW_SECONDS:
            self._samples.popleft()
        since, rows_then, sent_then = self._samples[0]
        if now <= since:
            return None
        return max(0.0, (rows - rows_then) / (now - since)), max(0.0, (sent - sent_then) / (now - since))


def csv_figures(sight: Sight, pace: tuple[float, float] | None) -> list[tuple[str, str]]:
    """The summary line of an ingest job: (text, style name) in order of importance."""
    job, totals, rows = sight.job, sight.job.totals, sight.rows
    parts: list[tuple[str, str]] = []
    if rows is not None:
        parts += [(f"{rows.read:,} rows read", ""), (f"{rows.inserted:,} inserted", "")]
        parts += [(f"{rows.rejected:,} rejected", "skipped")] if rows.rejected else []
    if pace is not None and job.state == "running":
        by_row, by_byte = pace
        parts.append((f"{by_row:,.0f} rows/s", "active"))
        missing = totals.bytes_found - sight.sent
        if job.planned and by_byte > 0 and missing > 0:
            parts.append((f"{format_duration(missing / by_byte)} left", "active"))
    ended = totals.uploaded + totals.skipped + totals.failed
    parts += [(f"{ended:,} of {plural(totals.found, 'file')}", "")]
    parts += [(f"{format_size(sight.sent)} of {format_size(totals.bytes_found)}", "")]
    return parts + endings(job)


def reason_word(reason: str) -> str:
    """`too few fields`."""
    return display_text(reason).replace("_", " ")


def reasons_words(reasons: Reasons) -> str:
    """`2 too few fields, 1 nul`."""
    return ", ".join(f"{count:,} {reason_word(reason)}" for reason, count in reasons)


def csv_lines(counts: CsvCounts | None, facts: Mapping[str, Any] | None, *, plan: bool) -> Lines:
    """What there is to say of one file beyond what any file has; of a plan, what it has counted."""
    lines: list[tuple[str, str]] = []
    if plan and facts is not None and "counted" in facts:
        ahead = ahead_of([facts], 0)
        lines.append(("Rows", f"{plural(ahead.rows, 'row')}, {ahead.rejected:,} rejected{_because(ahead.reasons)}"))
    elif not plan and counts is not None:
        lines.append(("Rows", f"{counts.read:,} read, {counts.inserted:,} inserted, {counts.rejected:,} rejected"))
        if counts.rejects_url:
            lines.append(("Rejects", display_text(counts.rejects_url)))
    if facts is not None:
        quotes = f"quoted by {display_text(facts['quote'])}" if facts["quote"] else "no quotes"
        written = f"{display_text(facts['encoding'])}, {separated_words(facts['delimiter'])}, {quotes}"
        lines += [("Written", written), ("Columns", _columns(facts))]
    return tuple(lines)


def _because(reasons: Reasons) -> str:
    return f": {reasons_words(reasons)}" if reasons else ""


def _columns(facts: Mapping[str, Any]) -> str:
    names = facts["columns"]
    types = facts.get("types") or ["text"] * len(names)
    listed = [f"{_cell(name)} {kind}" for name, kind in list(zip(names, types, strict=True))[:_LISTED]]
    more = f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    return f"{len(names):,}: {', '.join(listed)}{more}"


def sheet_of(facts: Mapping[str, Any] | None) -> Sheet:
    """The first rows of a file below the names of its columns; empty if there are none."""
    if facts is None or not facts.get("sample"):
        return ()
    return tuple(tuple(display_text(cell) for cell in row[:_SHEET_COLUMNS]) for row in (facts["columns"], *facts["sample"]))


def _cell(text: str) -> str:
    return left(shown, _CELL) if cell_len(shown := display_text(text)) > _CELL else shown


def sheet_lines(sheet: Sheet, width: int) -> list[str]:
    """A sheet as lines of at most `width` cells, column below column; those that have no room are dots."""
    widths = [min(_CELL, max(1, *map(cell_len, cells))) for cells in zip(*sheet, strict=True)]
    room, fitting = width, 0
    for each in widths:
        last = fitting == len(widths) - 1
        if each + (0 if last else len(_GAP) + 1) > room:
            break
        room, fitting = room - each - len(_GAP), fitting + 1
    if not fitting:
        return [left(row[0], width).rstrip() for row in sheet]
    dots = ["…"] if fitting < len(widths) else []
    return [_GAP.join([*map(left, row[:fitting], widths), *dots]).rstrip() for row in sheet]
