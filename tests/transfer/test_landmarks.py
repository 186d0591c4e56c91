"""Sources that are recognized, from wherever they are seen, and others that only have their names."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from s3tui.errors import SourceUnseen
from s3tui.model import Fingerprint
from s3tui.transfer.landmarks import landmarks_of, recognize


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "mount" / "source"
    (root / "sub").mkdir(parents=True)
    for name in ("a", "b", "sub/c"):
        (root / name).write_text(name)
    return root


def seen(source: Path, landmarks: str, *planned: Path, known: bool = False) -> None:
    """Raises SourceUnseen."""
    files = [(0, os.fsencode(path.relative_to(source)), Fingerprint.of(path.stat())) for path in planned]
    recognize([os.fsencode(source)], landmarks, files, known=known)


def touched(*paths: Path) -> None:
    """Their change times are new."""
    for path in paths:
        before = path.stat().st_ctime_ns
        while path.stat().st_ctime_ns == before:
            path.chmod(path.stat().st_mode)


def test_what_has_not_changed_is_recognized(source: Path) -> None:
    seen(source, landmarks_of([os.fsencode(source)]))


def test_one_thing_that_is_as_it_was_is_enough(source: Path) -> None:
    landmarks = landmarks_of([os.fsencode(source)])
    (source / "a").unlink()
    (source / "new").write_text("new")
    touched(source, source.parent)
    seen(source, landmarks)


def test_a_copy_with_the_same_times_is_something_else(source: Path, tmp_path: Path) -> None:
    landmarks = landmarks_of([os.fsencode(source)])
    source.rename(tmp_path / "away")
    shutil.copytree(tmp_path / "away", source)
    with pytest.raises(SourceUnseen, match=r"^what is called .*/mount/source there is something else$"):
        seen(source, landmarks)
    with pytest.raises(SourceUnseen):
        seen(source, landmarks, known=True)


def test_what_is_not_there_is_not_seen(source: Path) -> None:
    landmarks = landmarks_of([os.fsencode(source)])
    shutil.rmtree(source)
    with pytest.raises(SourceUnseen, match=r"/mount/source is not there$"):
        seen(source, landmarks)


def test_a_directory_whose_landmarks_have_all_changed_is_recognized_by_a_file_of_the_plan_or_if_it_was_before(
    source: Path,
) -> None:
    landmarks = landmarks_of([os.fsencode(source)]).replace(str(source.parents[3].stat().st_ctime_ns), "1")
    touched(source, *source.iterdir(), source.parent, source.parents[1], source.parents[2])
    with pytest.raises(SourceUnseen):
        seen(source, landmarks)
    seen(source, landmarks, source / "sub" / "c")
    seen(source, landmarks, known=True)


def test_a_planned_file_that_is_another_one_now_proves_nothing(source: Path) -> None:
    landmarks = landmarks_of([os.fsencode(source)]).replace(str(source.parents[3].stat().st_ctime_ns), "1")
    planned = [(0, b"a", Fingerprint.of((source / "a").stat()))]
    (source / "a").write_text("longer than before")
    touched(source, *source.iterdir(), source.parent, source.parents[1], source.parents[2])
    with pytest.raises(SourceUnseen):
        recognize([os.fsencode(source)], landmarks, planned, known=False)


def test_a_file_is_recognized_and_one_that_replaced_it_is_not(source: Path) -> None:
    file = source / "a"
    landmarks = landmarks_of([os.fsencode(file)])
    seen(file, landmarks)
    (source / "other").write_text("other")
    (source / "other").replace(file)
    with pytest.raises(SourceUnseen):
        seen(file, landmarks)


def test_names_that_are_not_utf8_are_no_hindrance(source: Path) -> None:
    odd = os.fsencode(source) + b"/\xff"
    os.mkdir(odd)  # noqa: PTH102 - bytes
    landmarks = landmarks_of([odd])
    assert landmarks.isascii()
    recognize([odd], landmarks, (), known=False)


def test_without_landmarks_the_name_is_all_there_is(source: Path) -> None:
    seen(source, "")
    seen(source, landmarks_of([b"/nowhere/at/all"]))
