"""--if-exists, and what is said where the store cannot keep its promise."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from s3tui.model import Job
from tests.jobs.yard import Yard
from tests.servers import Store


def warnings(caplog: pytest.LogCaptureFixture, job: Job) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING and job.id in record.getMessage()]


def test_a_store_that_does_not_keep_conditions_is_told_once_for_each_job(
    yard_at: Callable[[Store], Yard], rclone_store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_bytes(b"1")
    yard = yard_at(rclone_store)
    [unknown] = warnings(caplog, yard.upload(tmp_path / "file", if_exists="skip", dry_run=True))
    assert "is not known to keep conditions" in unknown
    assert rclone_store.contents() == {}
    [sentence] = warnings(caplog, yard.upload(tmp_path / "file", if_exists="fail"))
    assert "does not keep conditions" in sentence
    assert "--if-exists fail" in sentence
    assert warnings(caplog, yard.upload(tmp_path / "file")) == []


def test_of_a_store_that_keeps_conditions_nothing_is_said(
    yard_at: Callable[[Store], Yard], moto_store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_bytes(b"1")
    assert warnings(caplog, yard_at(moto_store).upload(tmp_path / "file", if_exists="skip")) == []
