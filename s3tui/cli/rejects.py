"""`s3tui jobs rejects`: the records of an ingest job that are no rows, one a line.

    people.csv:17: too_few_fields: 4 fields are expected and it has 2: 16,Grace

    {"path", "file", "line", "record", "reason", "detail", "raw", "bytes"}

`raw` is the record as it stands in its file; a byte NN that is part of no character is `\\udcNN`. Of one that is larger than 4 KiB
it is the beginning, and `bytes` the size of all of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from s3tui.cli.output import note, print_json
from s3tui.model import RejectChoice, RejectLine, RejectWay
from s3tui.text import display_text, plural

if TYPE_CHECKING:
    import argparse

    from s3tui.model import Job
    from s3tui.service import Service

_PAGE = 500
_SHOWN = 200
"""Characters of a record that are printed."""


def print_rejects(service: Service, job: Job, arguments: argparse.Namespace) -> None:
    """The first of them; how many more there are, and where all are, goes to standard error."""
    names: dict[int, bytes] = {}
    limit = max(0, arguments.limit)
    for reject in islice(_rejects(service, job), limit or None):
        if reject.file_no not in names:
            names[reject.file_no] = service.rows(job, [reject.file_no])[0].path
        _print(reject, names[reject.file_no], as_json=arguments.json_lines)
    counts = service.row_counts(job).values()
    rejected = sum(one["rows"]["rejected"] for one in counts)
    if arguments.quiet:
        return
    if not rejected:
        note("No record was rejected.")
    if rejected > limit > 0:
        note(f"{limit:,} of {plural(rejected, 'rejected record')}; --limit 0 prints all of them.")
    for url in filter(None, (one["rejects_url"] for one in counts)):
        note(f"To mend and ingest again: {url}")


def _rejects(service: Service, job: Job) -> Iterator[RejectLine]:
    """All of them, page by page."""
    beside: tuple[int, int] | None = None
    while page := service.reject_lines(job, RejectChoice(), RejectWay(beside, False, 0 if beside is None else 1, _PAGE)):
        yield from page
        beside = (page[-1].file_no, page[-1].record)


def _print(reject: RejectLine, path: bytes, *, as_json: bool) -> None:
    if as_json:
        facts = {"path": os.fsdecode(path), "file": reject.file_no + 1}
        facts |= {name: getattr(reject, name) for name in ("line", "record", "reason", "detail")}
        print_json({**facts, "raw": reject.text, "bytes": reject.size})
        return
    text = display_text(reject.text[: _SHOWN + 1])
    text = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    print(f"{display_text(path)}:{reject.line}: {display_text(reject.reason)}: {display_text(reject.detail)}: {text}")
