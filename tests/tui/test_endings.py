"""Jobs that end while the UI is open."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from s3tui.config import Settings
from s3tui.model import Job, JobState
from s3tui.runtime import Runtime
from s3tui.tui.endings import Endings, desktop_notice, ending_sentence
from tests.terminal import Terminal
from tests.tui.driving import application, text_of, until_seen, until_told
from tests.tui.seeded import SeededHouse, ended, make_job, running
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=5)

OLD, GOING = ended(3, JobState.PARTIAL).job, running(9, 60).job
DONE = replace(GOING, state=JobState.COMPLETED, finished_at=GOING.created_at + 1)


def numbers(jobs: list[Job]) -> list[int]:
    return [job.no for job in jobs]


def test_what_had_ended_before_is_no_news_and_an_ending_is_news_once() -> None:
    endings = Endings()
    assert endings.learn([GOING, OLD]) == []
    assert endings.learn([GOING, OLD]) == []
    assert endings.learn([DONE, OLD]) == [DONE]
    assert endings.learn([DONE, OLD]) == []


def test_a_job_that_began_and_ended_between_two_looks_is_news() -> None:
    endings = Endings()
    endings.learn([])
    assert endings.learn([DONE, OLD]) == [OLD, DONE]
    assert endings.learn([OLD]) == []
    assert endings.learn([DONE, OLD]) == [], "it came back from beyond the list"


def test_a_retried_job_ends_again_even_if_nobody_saw_it_run() -> None:
    endings = Endings()
    endings.learn([OLD])
    again = replace(OLD, state=JobState.COMPLETED, finished_at=(OLD.finished_at or 0) + 5_000)
    assert endings.learn([again]) == [again]
    endings.learn([replace(OLD, state=JobState.RUNNING, finished_at=None)])
    assert endings.learn([again]) == [again]


def test_a_plan_that_is_ready_and_a_job_that_pauses_have_not_ended() -> None:
    endings = Endings()
    endings.learn([GOING])
    assert endings.learn([replace(GOING, state=JobState.PAUSED), make_job(12, JobState.PLANNED, dry_run=True)]) == []


def test_the_sentence_says_what_ended_and_how() -> None:
    assert ending_sentence(OLD) == "upload photos → s3://harbour/backups/: partial, 119 of 120 files, 1 failed"
    assert ending_sentence(ended(4, JobState.COMPLETED, 1).job).endswith(": completed, 1 of 1 file")


@pytest.mark.parametrize("name", ["a\x07b\x1b]0;c\x07", "\x9b2J", "x\ny\u202e", "\udcff", "z" * 900])
def test_a_hostile_name_cannot_end_the_sequence_or_begin_another(name: str) -> None:
    job = make_job(9, JobState.FAILED, sources=[f"/home/ada/{name}"])
    notice = desktop_notice(ending_sentence(job), "xterm-256color")
    assert notice.startswith("\x1b]9;s3tui: upload ")
    assert notice.endswith("\x07")
    assert notice[2:-1].isprintable()
    assert len(notice) < 300


@pytest.mark.parametrize("terminal", ["", "dumb", "vt100", "vt220", "linux", "unknown"])
def test_plain_terminals_get_no_sequence(terminal: str) -> None:
    assert desktop_notice("upload: completed", terminal) == ""


async def test_a_job_that_ends_behind_another_screen_is_told_there_once() -> None:
    first, second = running(9, 60), running(10, 20)
    house = SeededHouse(first, second, ended(3, JobState.PARTIAL))
    app = application(house, job=first.job.id)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until_seen(pilot, "sending")
        second.job = replace(second.job, state=JobState.COMPLETED, finished_at=second.job.created_at)
        await until_told(pilot, "completed, ")
        first.job = replace(first.job, state=JobState.PARTIAL, finished_at=first.job.created_at)
        await until_seen(pilot, "! partial")
        third = ended(11, JobState.FAILED)
        house.service.jobs[third.job.id] = third
        await until_told(pilot, "failed, ")
        assert text_of(app).count("completed, ") == 1
        assert "partial, " not in text_of(app), "its own page shows it"


def plan(runtime: Runtime, directory: Path) -> str:
    """A job that no worker looks at."""
    return runtime.service.plan(runtime.upload_spec([str(directory)], "s3://harbour/x/"), concurrency=1)


@pytest.mark.parametrize(
    ("terminal", "config", "bells", "notices"),
    [("xterm-256color", {}, 1, 1), ("vt100", {}, 1, 0), ("xterm-256color", {"S3TUI_UI__NOTIFY": "false"}, 0, 0)],
    ids=["xterm", "vt100", "off"],
)
def test_a_real_terminal_gets_a_bell_and_a_notice(
    tmp_path: Path, terminal: str, config: dict[str, str], bells: int, notices: int
) -> None:
    (tmp_path / "sent").mkdir()
    places = {name: os.environ[name] for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME")}
    with Runtime(Settings()) as runtime:
        runtime.service.cancel(plan(runtime, tmp_path / "sent"))
    environment = {**places, **config, "TERM": terminal}
    with Runtime(Settings()) as runtime, Terminal(["-m", "s3tui"], environment, columns=120) as screen:
        screen.until_seen("cancelled")
        job = plan(runtime, tmp_path / "sent")
        wait_until(lambda: screen.text().count("harbour/x") == 2, 30, "the second job to be seen")
        runtime.service.cancel(job)
        wait_until(lambda: screen.text().count("cancelled") == 2, 30, "it to be seen to end")
        screen.press("q")
        wait_until(lambda: screen.process.poll() == 0, 30, "the program to end")
        assert screen.bells == bells
        assert len(screen.notices) == notices
        assert all(notice.startswith("s3tui: upload sent → s3://harbour/x/: cancelled") for notice in screen.notices)
