"""The report, its CSV and the events: the fields are the code's own, and a field without words breaks the build."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from docs.reference.table import code, plain, table
from s3tui import report
from s3tui.cli import json_lines
from s3tui.model import Action, Desired, FileRow, FileState, Job, JobState, Proof, Totals

_HEAD = """# Report and events

The report of a job is what `--output-json FILE` writes, `s3tui jobs report ID` prints, and `GET /v1/jobs/ID/report` answers. It is
ASCII, and written in pages: a million files need no more memory than a thousand. `found = uploaded + skipped + failed` whenever the
job has ended.

"""
_WORDS = {
    "job": "The job's id",
    "kind": "`upload`, `backup`, `video` or `ingest`",
    "state": "Where it stands; see below",
    "dry_run": "Whether it is a plan that was not applied",
    "sources": "What was given, as absolute paths",
    "target": "Where it goes to",
    "started_at": "UTC; null: not yet",
    "finished_at": "UTC; null: not yet",
    "seconds": "How long it took, or has taken until now",
    "totals": "Files and bytes; `deleted` counts sources deleted after proof, `retries` attempts that had to be repeated",
    "reason": "A stable word of what stopped, or holds up, the whole job",
    "error": "The sentence to it",
    "files": "Each entry that was found, directories aside",
    "url": "Of a video job: the first master playlist that is published",
    "rows": "Of an ingest job: `read`, `inserted` and `rejected` of all files",
}
_FILE_WORDS = {
    "path": "Relative to its source",
    "key": "Of its object; null: the name cannot be one",
    "size": "Bytes",
    "state": "Where it stands; see below",
    "action": "What the plan said would happen to it",
    "attempts": "How often it was tried",
    "checksum": "Algorithm and value, over all its bytes",
    "etag": "Of its object",
    "proof": "How it is known that the object holds its bytes; see below",
    "reason": "A stable word: why it was skipped, or failed",
    "error": "A sentence, if it failed",
    "path_base64": "Only of a path that is not UTF-8, which `path` writes with `\\udcXX` escapes",
}
_MORE = """
Files of a video job have `url` and `renditions` besides, those of an ingest job `rows` and `rejects_url`, and in a plan `csv`: how
the file is written. The report of a plan has `requests`, an estimate of what applying it takes, and `actions`: files and bytes of
each action.
"""


def report_page() -> str:
    """The page."""
    job, row = _samples()
    facts, file = report.job_facts(job), report.file_facts(row)
    example = {**facts, "files": [file], "url": None, "rows": None}
    columns = ", ".join(map(code, file))
    return "\n".join(
        [
            _HEAD + f"```json\n{json.dumps(example, indent=1)}\n```\n",
            _fields(example, _WORDS, "field"),
            _fields([*file, "path_base64"], _FILE_WORDS, "field of a file"),
            _MORE,
            "## As CSV\n",
            f"`--output-csv FILE` writes the files, one a line, with a header: {columns}, `path_base64`.\n",
            "## States of a job\n",
            f"```text\n{inspect.cleandoc((JobState.__doc__ or '').partition(chr(10))[2])}\n```\n",
            "## Words\n",
            _words("state of a file", (state.word for state in FileState)),
            _words("action", (action.word for action in Action)),
            _words("proof", Proof),
            "## Events\n",
            _events(),
        ]
    )


def _samples() -> tuple[Job, FileRow]:
    spec = {"sources": ["/home/me/photos"], "target": "s3://my-bucket/photos/"}
    started = 1_795_257_015_000
    job = Job(
        no=1, id="01KAK2H3QM6B9V0C5T7R8W4XYZ", kind="backup", state=JobState.COMPLETED, desired=Desired.RUN, spec=json.dumps(spec),
        dry_run=False, planned=True, totals=Totals(found=1, uploaded=1, deleted=1, bytes=5), concurrency=100, created_at=started,
        started_at=started, finished_at=started + 1_500,
    )  # fmt: skip
    row = FileRow(
        no=0, path=b"a.txt", key="photos/a.txt", size=5, state=FileState.DELETED, action=Action.UPLOAD, attempts=1,
        checksum="crc64nvme:M3eFcAZSQlc=", etag='"5d41402abc4b2a76b9719d911017c592"', proof=Proof.SERVER_CHECKSUM.value,
    )  # fmt: skip
    return job, row


def _fields(names: Iterable[str], words: Mapping[str, str], head: str) -> str:
    return table([head, ""], [(code(name), words[name]) for name in names])


def _words(head: str, words: Iterable[Any]) -> str:
    return f"**{head}**: {', '.join(code(str(word)) for word in words)}\n"


def _events() -> str:
    """What the module that tells them says of them, its examples as a block."""
    text = (json_lines.__doc__ or "").strip()
    first, grammar, rest = re.split(r"\n\n", text, maxsplit=2)
    return f"{plain(first)}\n\n```text\n{inspect.cleandoc(grammar)}\n```\n\n{plain(rest)}\n"
