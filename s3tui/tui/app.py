"""`run_tui`: everything around the application. Textual reads the environment when it is imported, so that happens late."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from threading import Thread
from typing import TYPE_CHECKING

from s3tui.errors import S3tuiError
from s3tui.text import display_text
from s3tui.tui.hangup import INTERRUPTED, Departure, has_other_screen

if TYPE_CHECKING:
    from s3tui.config import Loaded, Settings, UiOptions
    from s3tui.runtime import Runtime
    from s3tui.tui.application import S3tuiApp
    from s3tui.tui.prefill import Prefill

_CLOSING_SECONDS = 1.0
"""How long a database may take to be let go of."""


def run_tui(
    settings: Settings,
    *,
    source: str | None = None,
    target: str | None = None,
    job: str | None = None,
    hint: str = "",
    worker_arguments: Sequence[str] = (),
    loaded: Loaded | None = None,
) -> int:
    """Run the terminal UI until it is left; returns the exit code.

    With `source`, the form for a new job opens prefilled (`hint` is a sentence below it); with `job`, that job. `worker_arguments`
    lead a background worker to the same settings; `loaded` says where these came from. Without a terminal, and after a crash, one
    sentence on standard error says so.
    """
    if problem := terminal_problem():
        print(problem, file=sys.stderr)
        return 1
    prepare_environment(settings.ui)
    from s3tui.runtime import Runtime

    departure = Departure()
    runtime = Runtime(settings, worker_arguments=worker_arguments)
    try:
        if job:
            job = runtime.service.job(job).id
        prefill = _prefill(settings, source, target, hint)
        app = _application(settings, runtime, departure, job, prefill, loaded, form_first=bool(source or target))
        departure.listen()
        code = app.run(mouse=settings.ui.mouse != "off")
        if app.failure is not None:
            return tell_failure(app)
        return app.return_code or code or 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except S3tuiError as error:
        print(display_text(str(error)), file=sys.stderr)
        return 1
    finally:
        _close(runtime)


def terminal_problem() -> str:
    """Why there can be no terminal UI here, as a sentence; empty if there can."""
    if has_other_screen():
        return ""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return "The terminal UI needs a terminal; `s3tui upload` and `s3tui jobs` work without one."
    if os.environ.get("TERM") == "dumb":
        return "The terminal UI needs a terminal with a cursor, and TERM says dumb; `s3tui jobs watch` works with that."
    return ""


def _close(runtime: Runtime) -> None:
    """Let go of the database; one that does not answer is left as it is."""
    closing = Thread(target=runtime.close, daemon=True)
    closing.start()
    closing.join(_CLOSING_SECONDS)


def _prefill(settings: Settings, source: str | None, target: str | None, hint: str) -> Prefill:
    from s3tui.tui.prefill import Prefill

    bucket = settings.s3.bucket_name
    configured = f"s3://{bucket}/{settings.s3.prefix or ''}" if bucket else ""
    return Prefill(
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


def _application(
    settings: Settings,
    runtime: Runtime,
    departure: Departure,
    job: str | None,
    prefill: Prefill,
    loaded: Loaded | None,
    *,
    form_first: bool,
) -> S3tuiApp:
    from s3tui.tui.application import S3tuiApp

    ui = settings.ui
    return S3tuiApp(
        runtime,
        theme=ui.theme or "",
        fps=ui.fps,
        keys=dict(ui.keys),
        notify=ui.notify,
        ascii_glyphs=ui.glyphs == "ascii",
        mouse_moves=ui.mouse == "on" or not _over_ssh(),
        few_colours=_has_few_colours(),
        fast_output=ui.fast_output == "auto",
        ack_pacing=ui.ack_pacing == "auto",
        log=settings.logging.path,
        job=job,
        prefill=prefill,
        form_first=form_first,
        departure=departure,
        loaded=loaded,
    )


def prepare_environment(ui: UiOptions | None = None) -> None:
    """Set what Textual reads when it is imported and made; variables that say the same as an option of `ui` stay."""
    os.environ.setdefault("ESCDELAY", "25")
    os.environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    animations, color = (ui.animations, ui.color) if ui else ("auto", "auto")
    if animations == "off" or (animations == "auto" and _over_ssh()):
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    if color == "none":
        os.environ["NO_COLOR"] = "1"
    elif color != "auto":
        os.environ.setdefault("TEXTUAL_COLOR_SYSTEM", "standard" if color == "16" else color)
    if os.environ.get("NO_COLOR") == "" or color not in ("auto", "none"):
        os.environ.pop("NO_COLOR", None)  # only a non-empty one counts, and Textual takes any; and who names colours wants them
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)  # they outrank the terminal's own size, and stay when that changes
    if not has_other_screen() and sys.__stderr__ is not None and not sys.__stderr__.isatty():
        sys.__stderr__ = sys.__stdout__  # type: ignore[misc]  # Textual draws there, and it leads elsewhere


def _has_few_colours() -> bool:
    from rich.console import Console

    system = os.environ.get("TEXTUAL_COLOR_SYSTEM", "auto")
    return Console(force_terminal=True, color_system=system).color_system == "standard"  # type: ignore[arg-type]


def _over_ssh() -> bool:
    return "SSH_CONNECTION" in os.environ or "SSH_TTY" in os.environ


def tell_failure(app: S3tuiApp) -> int:
    """Write a report, and say in one sentence where it is."""
    from s3tui.tui.crash import write_report

    assert app.failure is not None
    error = type(app.failure).__name__
    try:
        path = write_report(app.failure, app.failed_at)
    except OSError as problem:
        print(f"s3tui stopped: {error}. Running jobs go on. No report could be written: {problem.strerror}.", file=sys.stderr)
    else:
        print(f"s3tui stopped: {error}. Running jobs go on; the report is in {display_text(str(path))}.", file=sys.stderr)
    return 1
