"""`run_tui`: everything around the application. Textual reads the environment when it is imported, so that happens late."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from s3tui import __version__
from s3tui.errors import S3tuiError
from s3tui.text import display_text
from s3tui.tui.hangup import has_other_screen

if TYPE_CHECKING:
    from s3tui.config import Settings
    from s3tui.runtime import Runtime
    from s3tui.tui.application import S3tuiApp


def run_tui(
    settings: Settings,
    *,
    source: str | None = None,
    target: str | None = None,
    job: str | None = None,
    hint: str = "",
    worker_arguments: Sequence[str] = (),
) -> int:
    """Run the terminal UI until it is left; returns the exit code.

    With `source`, the form for a new job opens prefilled (`hint` is a sentence below it); with `job`, that job. `worker_arguments`
    lead a background worker to the same settings. Without a terminal, and after a crash, one sentence on standard error says so.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()) and not has_other_screen():
        print("The terminal UI needs a terminal; use `s3tui upload` and `s3tui jobs` in scripts.", file=sys.stderr)
        return 1
    prepare_environment()
    from s3tui.runtime import Runtime

    runtime = Runtime(settings, worker_arguments=worker_arguments)
    try:
        if job:
            job = runtime.service.job(job).id
        app = _application(settings, runtime, source, target, job, hint)
        code = app.run()
        if app.failure is not None:
            return _tell_failure(app.failure)
        return app.return_code or code or 0
    except KeyboardInterrupt:
        return 130
    except S3tuiError as error:
        print(display_text(str(error)), file=sys.stderr)
        return 1
    finally:
        runtime.close()


def _application(
    settings: Settings, runtime: Runtime, source: str | None, target: str | None, job: str | None, hint: str
) -> S3tuiApp:
    from s3tui.tui.application import S3tuiApp
    from s3tui.tui.prefill import Prefill

    bucket = settings.s3.bucket_name
    configured = f"s3://{bucket}/{settings.s3.prefix or ''}" if bucket else ""
    prefill = Prefill(
        sources=[source] if source else (),
        target=target or configured,
        configured_target=configured,
        concurrency=settings.transfer.concurrency,
        bandwidth=settings.transfer.bandwidth,
        attempts=settings.transfer.max_attempts,
        checksum=settings.transfer.checksum,
        backup=settings.backup,
        video=settings.video,
        ingest=settings.ingest,
        hint=hint,
    )
    ui = settings.ui
    return S3tuiApp(
        runtime,
        theme=ui.theme or "",
        fps=ui.fps,
        keys=dict(ui.keys),
        notify=ui.notify,
        log=settings.logging.path,
        job=job,
        prefill=prefill,
        form_first=bool(source or target),
    )


def prepare_environment() -> None:
    """Set what Textual reads at import; what the user has set stays."""
    os.environ.setdefault("ESCDELAY", "25")
    os.environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    if "SSH_CONNECTION" in os.environ or "SSH_TTY" in os.environ:
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    if os.environ.get("NO_COLOR") == "":
        del os.environ["NO_COLOR"]  # only a non-empty one counts; Textual takes any


def _tell_failure(error: Exception) -> int:
    """Write a report, and say in one sentence where it is."""
    try:
        path = write_report(error)
    except OSError as problem:
        print(f"s3tui stopped: {type(error).__name__}. No report could be written: {problem}.", file=sys.stderr)
    else:
        print(f"s3tui stopped: {type(error).__name__}. Running jobs go on; the report is in {path}.", file=sys.stderr)
    return 1


def write_report(error: Exception) -> Path:
    """A file in the state directory that says what happened. Raises OSError."""
    home = os.environ.get("XDG_STATE_HOME", "")
    directory = (Path(home) if home.startswith("/") else Path.home() / ".local" / "state") / "s3tui"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = datetime.now(UTC)
    path = directory / f"crash-{now:%Y%m%dT%H%M%S}.txt"
    text = "".join(traceback.format_exception(error))
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", errors="backslashreplace"
    ) as report:
        report.write(f"s3tui {__version__}, Python {sys.version.split()[0]}, {now.isoformat()}\n\n{text}")
    return path
