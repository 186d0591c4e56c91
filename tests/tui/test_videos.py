"""Jobs of videos on the screen: made from the form, watched, copied from, retried and cancelled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from s3tui.jobs.options import VideoOptions
from s3tui.jobs.video import VideoSpec
from s3tui.model import FileState, JobState, VideoPhase, VideoSample
from s3tui.tui.videos import detail_lines, pace_words, videos_share
from tests.tui.driving import application, form, text_of, until, until_seen, until_told, until_unseen
from tests.tui.seeded import SeededHouse, SeededSight, filming

pytestmark = pytest.mark.thorough(one_in=5)

JOB = filming().job.id
URL = "https://harbour.example/films/harbour/master.m3u8"


def line_of(screen: str, text: str) -> str:
    """The one line with a text."""
    [line] = [line for line in screen.splitlines() if text in line]
    return line


async def test_a_video_at_work_shows_phase_share_speed_and_what_is_left() -> None:
    house = SeededHouse(filming())
    app = application(house, job=JOB)
    async with app.run_test(size=(120, 30)) as pilot:
        await until_seen(pilot, "2.5x  0:12 left  63 fps")
        line = line_of(text_of(app), "regatta at dusk.mov")
        assert "▸ transcoding" in line
        assert " 42% " in line
        for text in ("2 of 4 videos", "18 segments", "720p 480p a0_eng", " 60%"):
            assert text in text_of(app)
        job = house.service.jobs[JOB]
        job.videos = (job.videos[0]._replace(phase=VideoPhase.UPLOADING, made=50.0, sent=(11, 10, 10)),)
        await until_seen(pilot, "▸ uploading")
        await until_seen(pilot, "31 segments")
        await until_unseen(pilot, "2.5x")


async def test_a_job_that_watches_a_folder_says_so_and_shows_where_its_last_video_is() -> None:
    house = SeededHouse(filming(watch=True))
    app = application(house, job=JOB)
    async with app.run_test(size=(120, 30)) as pilot:
        await until_seen(pilot, "watching   2 of 4 videos")
        job = house.service.jobs[JOB]
        job.rows[2] = replace(job.rows[2], state=FileState.VERIFIED, attempts=1)
        job.rows[3] = replace(job.rows[3], state=FileState.VERIFIED, attempts=1)
        job.active, job.videos = {}, ()
        job.published[3] = (URL.replace("harbour/master", "keel/master"), [])
        job.settle()
        await until_seen(pilot, "watching   4 of 4 videos")
        await pilot.press("G", "y")
        await until(pilot, lambda: app.clipboard.endswith("/keel/master.m3u8"), "the address to be copied")
        house.service.jobs[JOB].job = replace(job.job, state=JobState.PAUSED)
        await until_unseen(pilot, "watching")


@pytest.mark.parametrize(("size", "words"), [((80, 24), "2.5x  0:12 left"), ((40, 12), "transcoding")])
async def test_what_matters_fits_small_windows(size: tuple[int, int], words: str) -> None:
    app = application(SeededHouse(filming()), job=JOB)
    async with app.run_test(size=size) as pilot:
        await until_seen(pilot, words)
        await until_seen(pilot, "at dusk.mov")


async def test_the_detail_of_a_published_video_has_its_address_and_y_copies_it() -> None:
    app = application(SeededHouse(filming()), job=JOB)
    async with app.run_test(size=(100, 30)) as pilot:
        await until_seen(pilot, "transcoding")
        await pilot.press("g", "i")
        await until_seen(pilot, "720p 1280x720, 6.2 MiB; 360p 640x360, 3.1 MiB")
        assert URL in text_of(app)
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard == URL, "the address to be copied")
        await pilot.press("j", "y")
        await until(pilot, lambda: app.clipboard == "s3://harbour/films/poem/master.m3u8", "the key of one that is not published")


async def test_a_video_that_failed_is_retried_and_the_job_cancelled_as_any_other() -> None:
    house = SeededHouse(filming())
    app = application(house, job=JOB)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "audio only")
        await pilot.press("g", "j", "r")
        await until_unseen(pilot, "audio only")
        await pilot.press("x", "y")
        await until_seen(pilot, "cancelled")
    assert house.service.calls == [("retry", JOB, [1]), ("cancel", JOB)]


async def test_the_form_makes_a_video_job_of_what_it_says_and_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"x")
    house = SeededHouse()
    options = VideoOptions(ladder="720,360", segment_seconds=6, preset="fast")
    app = application(house, prefill=form(sources=[str(tmp_path / "clip.mp4")], target="s3://harbour/films/", video=options))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "1 marked: clip.mp4")
        app.screen.query_one("#kind").focus()
        await pilot.press("right", "right")
        await until_seen(pilot, "‹ video ›")
        await until_seen(pilot, "‹ fast ›")
        assert "If it exists" not in text_of(app)
        app.screen.query_one("#segments").focus()
        await pilot.press("right")
        await until_seen(pilot, "‹ ts ›")
        app.screen.query_one("#review").focus()
        await pilot.press("enter")
        await until_seen(pilot, "planned")
        assert "requests" not in text_of(app)
    [(_, spec, _)] = house.service.calls
    assert isinstance(spec, VideoSpec)
    assert (spec.ladder, spec.segment_type, spec.segment_seconds, spec.preset) == ("720,360", "ts", 6.0, "fast")
    assert spec.sources == (str(tmp_path / "clip.mp4"),)


@pytest.mark.parametrize(
    ("source", "ladder", "seconds", "said"),
    [
        (".", "auto", "4", "is a folder, and videos are made of files"),
        ("clip.mp4", "tall", "4", "--ladder cannot be used"),
        ("clip.mp4", "auto", "0.5", "Seconds each must be a number from 1 to 60"),
    ],
)
async def test_what_cannot_become_a_video_job_is_a_sentence(
    tmp_path: Path, source: str, ladder: str, seconds: str, said: str
) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"x")
    house = SeededHouse()
    app = application(house, prefill=form(sources=[str(tmp_path / source)], target="s3://harbour/films/"))
    async with app.run_test(size=(140, 30), notifications=True) as pilot:
        await until_seen(pilot, "1 marked")
        app.screen.query_one("#kind").focus()
        await pilot.press("right", "right")
        await until_seen(pilot, "‹ video ›")
        for field, text in (("#ladder", ladder), ("#seconds", seconds)):
            app.screen.query_one(field).value = text  # type: ignore[attr-defined]
        app.screen.query_one("#review").focus()
        await pilot.press("enter")
        await until_told(pilot, said)
    assert not house.service.calls


def test_a_video_that_is_made_counts_for_as_much_as_is_made() -> None:
    job = filming()
    assert videos_share(SeededSight(job.job, (), (), job.videos)) == pytest.approx((2 + 21 / 50) / 4)
    ended = replace(job.job, state=JobState.COMPLETED, totals=replace(job.job.totals, uploaded=4, failed=0))
    assert videos_share(SeededSight(ended, (), ())) == 1.0


def test_nothing_is_said_of_a_pace_that_nobody_knows() -> None:
    assert pace_words(VideoSample(0)) == []
    assert pace_words(VideoSample(0, VideoPhase.TRANSCODING, 1.0, 5.0)) == []
    assert detail_lines(VideoSample(0), None) == ()
    assert filming().rows[2].state is FileState.PLANNED
