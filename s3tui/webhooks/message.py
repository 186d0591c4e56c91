"""What is told of a job that has ended: its report without the files, as one JSON document."""

from __future__ import annotations

import json

from s3tui.masking import masked
from s3tui.model import Job, now_ms
from s3tui.report import job_facts
from s3tui.text import format_time

_SOURCES = 20
_ERROR = 2000
"""What is longer than these is cut: receivers expect notices to be small."""


def message(job: Job, url: str | None) -> str:
    """`{"type": "job.completed", "timestamp": "...Z", "data": {...}}`, in ASCII; `url` is that of the first video.

    `data` is the head of the report. Of many sources it has the first, and `sources_left_out` says how many it has not.
    """
    data = job_facts(job) | {"url": url, "rows": None}
    sources: list[str] = data["sources"]
    if len(sources) > _SOURCES:
        data |= {"sources": sources[:_SOURCES], "sources_left_out": len(sources) - _SOURCES}
    if job.error:
        data["error"] = masked(job.error)[:_ERROR]
    return json.dumps({"type": f"job.{job.state}", "timestamp": format_time(now_ms()), "data": data}, separators=(",", ":"))
