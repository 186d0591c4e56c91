"""A job carried and watched in this process: a headless command is its own worker.

The first Ctrl-C or SIGTERM stops the worker with a grace and saves the state, the second leaves at once; both end in 130.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType
from typing import Protocol

from s3tui.cli import logs, output
from s3tui.cli.progress import open_progress
from s3tui.cli.signals import signals_to
from s3tui.config import Loaded
from s3tui.errors import Conflict, QueueError, SourceUnseen
from s3tui.model import Job, JobState
from s3tui.runtime import Runtime
from s3tui.service import JobSight, Service, Submitted
from s3tui.worker import Worker

INTERRUPTED = 130

GRACE_SECONDS = 5.0
"""What files in flight get to end after the first Ctrl-C."""

_FIRST_LOOK_SECONDS = 0.02
_LOOK_SECONDS = 0.25
_ALONE_SECONDS = 10.0

Start = Callable[[Service, str | None], Submitted]
"""Makes a job, or lets one go on, bound to the worker with this id; None leaves it to the background worker."""


class Face(Protocol):
    """Something that shows a live job."""

    def look(self, sight: JobSight) -> None:
        """Show the newest sight."""

    def close(self) -> None:
        """Show nothing more."""


class Interrupts:
    """While it is entered, signals are noted; the second one ends the process.

    A flag, and no Event: a handler that runs while the main thread holds the Event's lock would wait for itself.
    """

    def __init__(self) -> None:
        self.caught = False
        self._handling = signals_to(self._note)

    def __enter__(self) -> Interrupts:
        self._handling.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._handling.__exit__(None, None, None)

    def _note(self, _signal: int, _frame: FrameType | None) -> None:
        if self.caught:
            if sys.stderr.isatty():
                os.write(2, b"\x1b[?25h\n")  # the bar hides the cursor
            os._exit(INTERRUPTED)
        self.caught = True


@contextmanager
def opened(loaded: Loaded, arguments: argparse.Namespace) -> Iterator[Runtime]:
    """The parts of the program for one command, with its log, and its metrics if they are asked for."""
    logs.open_log(loaded.settings.logging, verbose=arguments.verbose)
    with Runtime(loaded.settings, worker_arguments=loaded.arguments) as runtime:
        if getattr(arguments, "metrics_port", None) is not None:
            url = runtime.serve_metrics(arguments.metrics_host, arguments.metrics_port)
            if not arguments.quiet:
                output.note(f"Metrics are served at {url}.")
        yield runtime


def check_results(arguments: argparse.Namespace) -> None:
    """See that the results can be written as asked, before any work is done. Raises SpecError."""
    results = {"--json-lines": arguments.json_lines, "--output-json -": arguments.output_json == "-"}
    output.check_one_stdout({**results, "--output-csv -": arguments.output_csv == "-"})
    output.check_report_file(arguments.output_json)
    output.check_report_file(arguments.output_csv)


def carry(runtime: Runtime, arguments: argparse.Namespace, start: Start) -> int:
    """Start a job and see it to its end, carried by this process unless another one carries it; returns the exit code."""
    check_results(arguments)
    if arguments.detach:
        return _detach(runtime, arguments, start)
    service = runtime.service
    with Interrupts() as interrupts, ExitStack() as stack:
        worker = runtime.worker(home_only=True)
        worker.start()  # before the job is there: only a worker that is alive keeps others away from what is bound to it
        stack.callback(worker.stop, GRACE_SECONDS)
        submitted = start(service, worker.id)
        worker.wake()
        _announce(service, submitted)
        job = _watch(service, submitted, arguments, interrupts, worker)
        if not interrupts.caught or submitted.carried_elsewhere:
            return _finish(service, job, arguments, interrupts)
        with suppress(Conflict):  # it has ended meanwhile
            service.pause(submitted.job_id)  # first: after a second signal nobody could, and the job would go on elsewhere
        if not arguments.quiet:
            output.note(f"Stopping; files in flight get {GRACE_SECONDS:.0f} seconds. Once more leaves at once.")
        worker.stop(GRACE_SECONDS)
        job = service.job(submitted.job_id)
        if job.dry_run and job.state is not JobState.PLANNED:
            service.cancel(job.id)
        return _finish(service, job, arguments, interrupts)


def watch(runtime: Runtime, arguments: argparse.Namespace, job: Job) -> int:
    """Watch a job that others carry to its end; returns the exit code."""
    check_results(arguments)
    service = runtime.service
    with Interrupts() as interrupts:
        job = _watch(service, Submitted(job.id, resumed=False, carried_elsewhere=True), arguments, interrupts)
        return _finish(service, job, arguments, interrupts)


def _detach(runtime: Runtime, arguments: argparse.Namespace, start: Start) -> int:
    submitted = start(runtime.service, None)
    _announce(runtime.service, submitted)
    if not submitted.carried_elsewhere:
        try:
            runtime.ensure_worker()
        except QueueError as error:
            raise QueueError(f"{error} Job {submitted.job_id} waits until a worker runs: `s3tui worker` starts one.") from error
    if arguments.json_lines:
        output.print_json({"event": "job_detached", "job": submitted.job_id, "resumed": submitted.resumed})
    else:
        print(submitted.job_id)
    return 0


def _announce(service: Service, submitted: Submitted) -> None:
    if not submitted.resumed:
        return
    job = service.job(submitted.job_id)
    done = job.totals.uploaded + job.totals.skipped
    of = f" of {job.totals.found}" if job.planned else ""
    output.note(f"Resuming job {job.id}: {done}{of} files are done.")
    if submitted.carried_elsewhere:
        output.note("Another process carries it already; this one only watches.")


def _watch(
    service: Service,
    submitted: Submitted,
    arguments: argparse.Namespace,
    interrupts: Interrupts,
    worker: Worker | None = None,
) -> Job:
    """Look at a job until it has ended, waits for a person, or a signal came. Raises what broke the worker, if we have one."""
    with ExitStack() as stack:
        faces: list[Face] = [open_progress(quiet=arguments.quiet, plain=arguments.verbose > 0), _Loneliness(submitted)]
        if arguments.json_lines:
            from s3tui.cli.json_lines import JsonLines

            faces.append(JsonLines(service, resumed=submitted.resumed))
        for face in faces:
            stack.callback(face.close)
        pause = _FIRST_LOOK_SECONDS
        while True:
            if worker is not None and worker.error is not None:
                raise worker.error
            sight = service.watch(submitted.job_id)
            for face in faces:
                face.look(sight)
            if interrupts.caught or sight.job.waits_for_person or _is_over(sight.job):
                return sight.job
            (worker.wait_for_rest if worker is not None else time.sleep)(pause)
            pause = min(_LOOK_SECONDS, pause * 1.1)  # so the end is seen by a tenth too late at most


class _Loneliness:
    """Says once that nobody works on a job that we only watch, or why it waits for a worker."""

    def __init__(self, submitted: Submitted) -> None:
        self._quiet = not submitted.carried_elsewhere
        self._since = time.monotonic()
        self._told = ""

    def look(self, sight: JobSight) -> None:
        if sight.workers:
            self._since = time.monotonic()
        elif not self._quiet and time.monotonic() - self._since > _ALONE_SECONDS:
            output.note(f"No worker is at work on job {sight.job.id}; `s3tui jobs resume {sight.job.id}` goes on with it.")
            self._quiet = True
        waits = sight.job.error if sight.job.reason == SourceUnseen.reason else None
        if waits and waits != self._told:
            output.note(waits)
            self._told = waits

    def close(self) -> None:
        """Nothing is held."""


def _finish(service: Service, job: Job, arguments: argparse.Namespace, interrupts: Interrupts) -> int:
    """Write the results; returns the exit code."""
    interrupted = interrupts.caught and not (_is_over(job) and not job.dry_run)
    if arguments.output_json:
        output.write_report(service.report(job), arguments.output_json)
    if arguments.output_csv:
        output.write_report(service.report_csv(job), arguments.output_csv)
    if arguments.json_lines:
        from s3tui.cli.json_lines import JsonLines

        lines = JsonLines(service, resumed=False)
        (lines.interrupt if interrupted else lines.wait if job.waits_for_person else lines.end)(job)
    if interrupted:
        _say_how_to_go_on(service, job)
        return INTERRUPTED
    if job.error:
        output.note(f"s3tui: {job.error}")
    if job.waits_for_person:
        resume = f"`s3tui jobs resume {job.id}`"
        ways = resume if job.dry_run else f"the command that began it, or {resume},"
        output.note(f"The job waits; {_done(job)}. When the cause is gone, {ways} goes on with it.")
        return output.exit_code(job)
    taken = arguments.json_lines or "-" in (arguments.output_json, arguments.output_csv)
    nothing_done = job.state is JobState.FAILED and not job.totals.found
    if not nothing_done and not (taken and arguments.quiet):
        stream = sys.stderr if taken else sys.stdout
        (output.print_plan if job.state is JobState.PLANNED else output.print_summary)(service, job, stream)
    return output.exit_code(job, foretells_rejects=job.kind == "ingest" and service.foretells_rejects(job))


def _is_over(job: Job) -> bool:
    return job.state.ended or job.state is JobState.PLANNED


def _done(job: Job) -> str:
    of = "" if job.planned or job.watches else " or more"
    return f"{job.totals.uploaded + job.totals.skipped} of {job.totals.found}{of} files are done"


def _say_how_to_go_on(service: Service, job: Job) -> None:
    if service.carried(job):
        output.note(f"Interrupted; the job goes on in another process: `s3tui jobs watch {job.id}` shows it.")
    elif job.dry_run:
        output.note("Interrupted; the plan was given up.")
    else:
        output.note(
            f"Interrupted; {_done(job)} and the state is saved. The same command resumes, and so does `s3tui jobs resume {job.id}`."
        )
