"""`s3tui jobs`: list, look at and steer jobs, whoever works on them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from s3tui.cli.parser import (
    Commands,
    Parser,
    add_carrying_options,
    add_connection_options,
    add_global_options,
    add_result_options,
)
from s3tui.errors import NotFound
from s3tui.model import FileChoice, Job, JobState, View
from s3tui.text import display_text

if TYPE_CHECKING:
    from s3tui.cli.foreground import Start
    from s3tui.runtime import Runtime
    from s3tui.service import Service

_PAGE = 500
_LISTED = 100


def add_options(parser: Parser) -> None:
    """What `jobs` takes."""
    parser.description = "List, watch and steer jobs. Without a verb: list."
    _add_list_options(parser)
    add_global_options(parser, after=True)
    parser.set_defaults(run=run_list)
    verbs: Commands = parser.add_subparsers(title="verbs", metavar="VERB")  # type: ignore[assignment]
    listing = verbs.add_parser("list", help="jobs, newest first")
    _add_list_options(listing)
    add_global_options(listing, after=True)
    listing.set_defaults(run=run_list)
    show = _add_verb(verbs, "show", run_show, "all about one job")
    show.add_argument("--json", action="store_true", help="as one JSON object")
    add_result_options(_add_verb(verbs, "watch", run_watch, "watch a job to its end"))
    for name, start, help_text in (
        ("apply", run_apply, "carry exactly what a dry run planned"),
        ("resume", run_resume, "go on with a job that was paused, interrupted or left behind"),
        ("retry", run_retry, "send failed files again"),
    ):
        verb = _add_verb(verbs, name, start, help_text)
        add_carrying_options(verb)
        add_result_options(verb)
        add_connection_options(verb)
        if name == "retry":
            only = verb.add_mutually_exclusive_group()
            only.add_argument("--file", metavar="NO|PATH", nargs="+", action="extend", default=[], help="only these files")
            only.add_argument("--reason", metavar="WORD", help="only files that failed for this reason, as `jobs show` names it")
    rejects = _add_verb(verbs, "rejects", run_rejects, "the records of an ingest job that are no rows, one a line")
    rejects.add_argument(
        "--limit", metavar="N", type=int, default=_LISTED, help=f"at most so many; 0: all of them (default: {_LISTED})"
    )
    rejects.add_argument("--json-lines", action="store_true", help="one JSON object each")
    _add_verb(verbs, "pause", run_pause, "admit no further file; what is in flight ends")
    _add_verb(verbs, "cancel", run_cancel, "break off for good; stored files stay, unfinished uploads are removed")
    report = _add_verb(verbs, "report", run_report, "the report, as JSON, or its files as CSV")
    report.add_argument("--output-json", metavar="FILE", help="write it there (default: standard output, unless CSV is asked for)")
    report.add_argument("--csv", "--output-csv", dest="output_csv", metavar="FILE", help="write its files there, one a line")


def run_list(arguments: argparse.Namespace) -> int:
    """Print jobs, newest first."""
    from s3tui.cli import output
    from s3tui.report import job_facts

    with _opened(arguments) as runtime:
        jobs = runtime.service.browse(limit=arguments.limit)
        if arguments.json:
            output.print_json([{**job_facts(job), "id": job.id} for job in jobs])
        elif jobs:
            output.print_jobs(jobs, sys.stdout)
        elif not arguments.quiet:
            output.note("There are no jobs yet; `s3tui upload SOURCE s3://BUCKET` makes one.")
    return 0


def run_show(arguments: argparse.Namespace) -> int:
    """Print all about one job."""
    from s3tui.cli import output

    with _opened(arguments) as runtime:
        job = runtime.service.job(arguments.id)
        if arguments.json:
            output.print_json({**runtime.service.head(job), "id": job.id})
        else:
            output.print_job(runtime.service, job, sys.stdout)
    return 0


def run_watch(arguments: argparse.Namespace) -> int:
    """Watch a job to its end; the exit code is the job's."""
    from s3tui.cli import foreground

    with _opened(arguments) as runtime:
        return foreground.watch(runtime, arguments, runtime.service.job(arguments.id))


def run_apply(arguments: argparse.Namespace) -> int:
    """Carry a planned job."""
    return _go_on(arguments, lambda service, job, home: service.apply(job.id, home=home), tell=False)


def run_resume(arguments: argparse.Namespace) -> int:
    """Let a job go on."""
    return _go_on(arguments, lambda service, job, home: service.resume(job.id, home=home), tell=True)


def run_retry(arguments: argparse.Namespace) -> int:
    """Send failed files again."""

    def retry(service: Service, job: Job, home: str | None) -> None:
        service.retry(job.id, _numbers(service, job, arguments.file), reason=arguments.reason, home=home)

    return _go_on(arguments, retry, tell=False)


def run_pause(arguments: argparse.Namespace) -> int:
    """Ask for a pause."""
    return _steer(arguments, lambda service, job: service.pause(job.id), "will pause as soon as what is in flight has ended")


def run_cancel(arguments: argparse.Namespace) -> int:
    """Ask for the end, and drop the uploads that are open, unless a live worker does. Raises what the store says to that."""
    code = _steer(arguments, lambda service, job: service.cancel(job.id), "is being cancelled")
    with _opened(arguments) as runtime:
        job = runtime.service.job(arguments.id)
        if not runtime.service.carried(job):
            _drop_uploads(runtime, job, arguments)
    return code


def _drop_uploads(runtime: Runtime, job: Job, arguments: argparse.Namespace) -> None:
    from s3tui.cli import output

    swept = runtime.sweep()
    if swept.gone and not arguments.quiet:
        output.note(f"{swept.gone} unfinished upload{'s' if swept.gone > 1 else ''} of large files dropped from the store.")
    if job.id in swept.errors:
        raise swept.errors[job.id]


def run_rejects(arguments: argparse.Namespace) -> int:
    """Print rejected records."""
    from s3tui.cli.rejects import print_rejects

    with _opened(arguments) as runtime:
        print_rejects(runtime.service, runtime.service.job(arguments.id), arguments)
    return 0


def run_report(arguments: argparse.Namespace) -> int:
    """Write the report of a job."""
    from s3tui.cli import output

    as_json = arguments.output_json or (None if arguments.output_csv else "-")
    output.check_one_stdout({"--output-json -": as_json == "-", "--csv -": arguments.output_csv == "-"})
    output.check_report_file(as_json)
    output.check_report_file(arguments.output_csv)
    with _opened(arguments) as runtime:
        job = runtime.service.job(arguments.id)
        if as_json:
            output.write_report(runtime.service.report(job), as_json)
        if arguments.output_csv:
            output.write_report(runtime.service.report_csv(job), arguments.output_csv)
    return 0


def _add_list_options(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="as one JSON array")
    parser.add_argument("--limit", metavar="N", type=int, default=_LISTED, help=f"at most so many (default: {_LISTED})")


def _add_verb(verbs: Commands, name: str, run: Callable[[argparse.Namespace], int], help_text: str) -> Parser:
    parser = verbs.add_parser(name, help=help_text, description=help_text[0].upper() + help_text[1:] + ".")
    parser.add_argument("id", metavar="ID", help="the job's id, or as much of its beginning as names one job")
    add_global_options(parser, after=True)
    parser.set_defaults(run=run)
    return parser


def _opened(arguments: argparse.Namespace) -> AbstractContextManager[Runtime]:
    from s3tui.cli import foreground, settings

    return foreground.opened(settings.load(arguments), arguments)


def _go_on(arguments: argparse.Namespace, act: Callable[[Service, Job, str | None], None], *, tell: bool) -> int:
    """Let a job go on in this process, unless a live worker carries it: then only watch."""
    from s3tui.cli import foreground, settings

    loaded = settings.load(arguments)
    with foreground.opened(loaded, arguments) as runtime:
        job = runtime.service.job(arguments.id)
        limits = loaded.settings.transfer
        concurrency = limits.concurrency if arguments.concurrency else None
        bandwidth = limits.bytes_per_second if arguments.bandwidth else None
        return foreground.carry(runtime, arguments, _start(job, act, concurrency, bandwidth, tell=tell))


def _start(
    job: Job, act: Callable[[Service, Job, str | None], None], concurrency: int | None, bandwidth: int | None, *, tell: bool
) -> Start:
    from s3tui.service import Submitted

    def start(service: Service, home: str | None) -> Submitted:
        carried = service.carried(job)
        act(service, job, home)
        service.tune(job.id, concurrency=concurrency, bandwidth=bandwidth)
        return Submitted(job.id, resumed=tell, carried_elsewhere=carried)

    return start


def _steer(arguments: argparse.Namespace, act: Callable[[Service, Job], None], said: str) -> int:
    from s3tui.cli import output

    with _opened(arguments) as runtime:
        job = runtime.service.job(arguments.id)
        act(runtime.service, job)
        now = runtime.service.job(job.id)
        done = now.state in (JobState.PAUSED, JobState.CANCELLED)
        if not arguments.quiet:
            output.note(f"Job {job.id} is {now.state}." if done else f"Job {job.id} {said}.")
    return 0


def _numbers(service: Service, job: Job, files: Sequence[str]) -> list[int] | None:
    """The numbers of the failed files that are named by number or by path. Raises NotFound."""
    if not files:
        return None
    numbers = {int(name) for name in files if name.isdecimal()}
    wanted = {os.fsencode(name) for name in files if not name.isdecimal()}
    found = _failed_with_path(service, job, wanted) if wanted else {}
    missing = sorted(wanted - found.keys())
    if missing:
        raise NotFound(
            f"Job {job.id} has no failed file {display_text(missing[0])!r}; `s3tui jobs report {job.id}` names them all."
        )
    return sorted(numbers | set(found.values()))


def _failed_with_path(service: Service, job: Job, wanted: set[bytes]) -> dict[bytes, int]:
    failed = service.numbers(job, FileChoice(View.FAILED))
    found: dict[bytes, int] = {}
    for start in range(0, len(failed), _PAGE):
        found.update((row.path, row.no) for row in service.rows(job, failed[start : start + _PAGE]) if row.path in wanted)
    return found
