"""What is told of a job."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from s3tui import masking
from s3tui.model import Desired, Job, JobState, Totals
from s3tui.webhooks.message import message

JOB = Job(
    no=1,
    id="01JDZZZZZZZZZZZZZZZZZZZZZZ",
    kind="video",
    state=JobState.PARTIAL,
    desired=Desired.RUN,
    spec=json.dumps({"sources": ["/a", "/caf\udce9\x1b"], "target": "s3://b/p/", "connection": {"endpoint_url": "http://s3.test"}}),
    dry_run=False,
    planned=True,
    totals=Totals(found=2, uploaded=1, failed=1, bytes=7),
    concurrency=1,
    created_at=1_700_000_000_000,
    started_at=1_700_000_001_000,
    finished_at=1_700_000_003_500,
    reason=None,
    error=None,
    home=None,
    identity="",
)


def test_it_is_the_head_of_the_report_under_the_name_of_the_end() -> None:
    text = message(JOB, "https://b.test/p/master.m3u8")
    told = json.loads(text)
    assert text.isascii()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told.pop("timestamp"))
    assert told == {
        "type": "job.partial",
        "data": {
            "job": "01JDZZZZZZZZZZZZZZZZZZZZZZ",
            "kind": "video",
            "state": "partial",
            "dry_run": False,
            "sources": ["/a", "/caf\udce9\x1b"],
            "target": "s3://b/p/",
            "started_at": "2023-11-14T22:13:21Z",
            "finished_at": "2023-11-14T22:13:23Z",
            "seconds": 2.5,
            "totals": {"found": 2, "uploaded": 1, "skipped": 0, "failed": 1, "deleted": 0, "bytes": 7, "retries": 0},
            "reason": None,
            "error": None,
            "url": "https://b.test/p/master.m3u8",
            "rows": None,
        },
    }


def test_it_stays_small_and_keeps_no_secret() -> None:
    masking.hide(["hunter2-hunter2"])
    spec = json.dumps({"sources": [f"/{number}" for number in range(5000)], "target": "s3://b/"})
    told = json.loads(message(replace(JOB, spec=spec, error="hunter2-hunter2 " + "x" * 100_000), None))
    assert told["data"]["sources"] == [f"/{number}" for number in range(20)]
    assert told["data"]["sources_left_out"] == 4980
    assert told["data"]["error"].startswith("******** xxx")
    assert len(told["data"]["error"]) == 2000
