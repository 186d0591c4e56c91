"""Backups: how they are asked for, what is asked before sources go, and how the proof of each file shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from s3tui.jobs.backup import BackupSpec
from s3tui.jobs.options import BackupOptions
from s3tui.model import FileRow, FileState, JobState, Proof
from s3tui.tui.figures import Subject, done_share
from s3tui.tui.looks import Looks
from s3tui.tui.screens.dialogs import Question, delete_question
from s3tui.tui.widgets.detail import fate
from tests.tui.driving import application, form, text_of, until, until_seen, until_unseen
from tests.tui.seeded import SeededHouse, backing_up, make_rows, planned

pytestmark = pytest.mark.thorough(one_in=5)

JOB, PLAN = backing_up().job.id, planned(8).job.id


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder to back up."""
    path = tmp_path / "tree" / "photos"
    path.mkdir(parents=True)
    (path / "a.jpg").write_text("a")
    return path


async def test_a_backup_is_a_kind_of_new_job_with_options_of_its_own(folder: Path) -> None:
    house = SeededHouse()
    app = application(house, prefill=form(sources=[str(folder)], target="s3://harbour/x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "‹ upload ›")
        assert "Sources" not in text_of(app)
        app.screen.query_one("#kind").focus()
        await pilot.press("right")
        await until_seen(pilot, "Sources      ‹ keep ›")
        assert "Empty dirs" not in text_of(app)
        app.screen.query_one("#sources").focus()
        await pilot.press("right")
        await until_seen(pilot, "Empty dirs   ‹ remove ›")
        await pilot.press("tab", "space")
        await until_seen(pilot, "Empty dirs   ‹ keep ›")
        await pilot.press("ctrl+r")
        await until_seen(pilot, "will be deleted")
    spec = house.service.calls[0][1]
    assert isinstance(spec, BackupSpec)
    assert (spec.delete_after_upload, spec.prune_empty_dirs, spec.skip_unchanged) == (True, False, False)


async def test_a_backup_begins_as_the_configuration_says(folder: Path) -> None:
    house = SeededHouse()
    options = BackupOptions(source_directory=str(folder), delete_after_upload=True, prune_empty_dirs=False, follow_symlinks=True)
    app = application(house, prefill=form(target="s3://harbour/x", backup=options, root="/"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "Mark folders and files")
        app.screen.query_one("#kind").focus()
        await pilot.press("right")
        await until_seen(pilot, "1 marked: photos")
        await until_seen(pilot, "[x] ▸ photos/")
        await pilot.press("ctrl+r")
        await until_seen(pilot, "◇ planned")
    spec = house.service.calls[0][1]
    assert isinstance(spec, BackupSpec)
    assert spec.sources == (str(folder),)
    assert (spec.delete_after_upload, spec.prune_empty_dirs, spec.choice.follow_symlinks) == (True, False, True)


async def test_an_upload_takes_nothing_of_the_configuration_of_backups(folder: Path) -> None:
    house = SeededHouse()
    options = BackupOptions(source_directory="/nowhere", delete_after_upload=True, follow_symlinks=True)
    app = application(house, prefill=form(sources=[str(folder)], target="s3://harbour/x", backup=options))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "1 marked: photos")
        app.screen.query_one("#kind").focus()
        await pilot.press("right", "left")
        await until_unseen(pilot, "Empty dirs")
        await pilot.press("ctrl+r")
        await until_seen(pilot, "29 new")
    spec = house.service.calls[0][1]
    assert (spec.kind, spec.sources, spec.choice.follow_symlinks) == ("upload", (str(folder),), False)


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_before_sources_go_a_question_says_so_and_only_yes_lets_them(size: tuple[int, int]) -> None:
    house = SeededHouse(planned(8, deletes=True))
    app = application(house, job=PLAN)
    async with app.run_test(size=size) as pilot:
        await until_seen(pilot, "After proof, 36 sources (269.8 MiB)")
        await until_seen(pilot, "29 new")
        for refusal in ("enter", "escape", "n"):
            await pilot.press("enter")
            await until_seen(pilot, "Delete 36 files (269.8 MiB)")
            await until_seen(pilot, "Upload and delete (y)")
            said = " ".join(text_of(app).replace("│", " ").replace("▌", " ").split())
            for words in ("proven identical", "7 objects there are replaced", "Cancel (Esc)"):
                assert words in said
            await pilot.press(refusal)
            await until(pilot, lambda: not isinstance(app.screen, Question), "the question to close")
        assert house.service.calls == []
        await pilot.press("enter")
        await until_seen(pilot, "Upload and delete (y)")
        await pilot.press("y")
        await until_seen(pilot, "Transfers")
    assert house.service.calls == [("apply", PLAN)]


async def test_a_backup_that_keeps_its_sources_is_applied_without_a_question() -> None:
    house = SeededHouse(planned(8, deletes=False))
    app = application(house, job=PLAN)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "No source will be deleted.")
        await pilot.press("enter")
        await until_seen(pilot, "Transfers")
    assert house.service.calls == [("apply", PLAN)]


async def test_what_failed_of_a_deleting_job_is_retried_without_another_question() -> None:
    house = SeededHouse(backing_up(state=JobState.PARTIAL))
    app = application(house, job=JOB)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "open for write")
        await pilot.press("R")
        await until(pilot, lambda: house.service.calls, "the retry")
    assert house.service.calls == [("retry", JOB, None)]


def test_the_question_names_a_few_sources_and_nothing_that_could_move_the_cursor() -> None:
    subject = Subject(
        ("/srv/a\x1b[2J", "/srv/b", "/srv/c", "/srv/d", "/srv/" + "e" * 300), "s3://harbour/x/", deletes=True, prunes=True
    )
    question = delete_question(1, 10, 2, subject)
    assert question._sentence == "Delete 1 file (10 B)?"
    assert question._more.startswith(r"From /srv/a\x1b[2J, /srv/b, /srv/c, and 2 more, to s3://harbour/x/: each only after")
    assert "Emptied directories go, too. 2 objects there are replaced." in question._more


async def test_each_file_shows_how_far_its_proof_and_deletion_are() -> None:
    app = application(SeededHouse(backing_up()), job=JOB)
    async with app.run_test(size=(120, 60)) as pilot:
        await until_seen(pilot, "▸ sending")
        await until_seen(pilot, "16 of 24 deleted")
        lines = text_of(app).splitlines()
        assert sum("⌫ deleted" in line and "store checked it" in line for line in lines) == 16
        assert sum("▸ verified" in line for line in lines) == 4
        assert sum("▸ uploaded" in line for line in lines) == 4
        assert not any("✓" in line for line in lines), "nothing is at its end that has a step before it"


async def test_when_the_job_has_ended_no_file_looks_as_if_it_went_on() -> None:
    app = application(SeededHouse(backing_up(state=JobState.CANCELLED)), job=JOB)
    async with app.run_test(size=(120, 60)) as pilot:
        await until_seen(pilot, "≡ verified")
        await until_seen(pilot, "✓ uploaded")
        assert "▸" not in text_of(app)


async def test_the_detail_tells_checksum_etag_proof_and_what_became_of_the_source() -> None:
    app = application(SeededHouse(backing_up()), job=JOB)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "▸ sending")
        await pilot.press("g", "i")
        for text in (
            "the store checked the bytes against their checksum",
            "deleted, after this proof",
            "crc64nvme:q1w2e3r4t5y=",
            "9e107d9d372bb6826bd81d3542a419d6",
        ):
            await until_seen(pilot, text)
        await pilot.press("down", "down", "down", "down")
        await until_seen(pilot, "✗ failed: open for write")
        await until_seen(pilot, "a program has it open for writing")
        await until_seen(pilot, "Source    kept")


_ROW = make_rows(1)[0]


@pytest.mark.parametrize(
    ("row", "passing", "glyph", "word", "said"),
    [
        (_ROW, True, "·", "queued", "kept until its object is proven"),
        (replace(_ROW, state=FileState.UPLOADED), True, "▸", "uploaded", "kept until"),
        (replace(_ROW, state=FileState.UPLOADED), False, "✓", "uploaded", "kept"),
        (replace(_ROW, state=FileState.UPLOADED, reason="unproven"), False, "!", "unproven", "kept"),
        (replace(_ROW, state=FileState.VERIFIED, proof=Proof.READ_BACK), True, "▸", "verified", "is deleted now"),
        (replace(_ROW, state=FileState.VERIFIED, proof=Proof.READ_BACK), False, "≡", "verified", "kept, as far as"),
        (replace(_ROW, state=FileState.DELETED, proof=Proof.READ_BACK), True, "⌫", "deleted", "deleted, after this proof"),
        (replace(_ROW, state=FileState.FAILED, reason="source_vanished"), False, "✗", "failed", "gone, and not by this job"),
        (replace(_ROW, state=FileState.FAILED, reason="changed_after_upload"), False, "✗", "failed", "kept"),
        (replace(_ROW, state=FileState.SKIPPED, reason="unchanged"), False, "–", "skipped", "kept, as only what was sent"),
    ],
)
def test_state_and_fate_are_said_as_they_are(row: FileRow, passing: bool, glyph: str, word: str, said: str) -> None:
    states = BackupSpec(("/srv",), "s3://harbour/", delete_after_upload=True).passing if passing else ()
    look = Looks().of_file(row, in_flight=False, passing=states)
    assert (look.glyph, look.word) == (glyph, word)
    assert fate(row, look).startswith(said)


def test_a_job_is_not_done_while_sources_wait_for_their_deletion() -> None:
    seeded = backing_up()
    everything = replace(seeded.job, totals=replace(seeded.job.totals, bytes=seeded.job.totals.bytes_found))
    assert done_share(everything) == 0.99
    assert done_share(replace(everything, totals=replace(everything.totals, deleted=everything.totals.uploaded))) == 1.0
