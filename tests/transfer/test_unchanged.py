"""When a receipt is believed without reading the file again, and what a written time is worth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from s3tui.errors import Cancelled
from s3tui.model import Fingerprint, Policy, Receipt, StoredObject
from s3tui.storage.api import Api
from s3tui.transfer.checksums import ALGORITHMS, digest_of
from s3tui.transfer.compare import Candidate
from s3tui.transfer.engine import Control
from s3tui.transfer.unchanged import Remembered, Unchanged, is_moment

SENT = b"what was sent"
RECEIPT = Receipt(len(SENT), f"crc32:{digest_of(ALGORITHMS['crc32'], SENT)}", '"opaque"', "version")
NOT_ASKED = cast(Api, None)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(SENT)
    return path


def unchanged(
    file: Path, remembered: list[Remembered], control: Control | None = None, planned: Fingerprint | None = None
) -> Receipt | None:
    stored = StoredObject("key", len(SENT), "opaque", 0)
    candidate = Candidate(7, "key", 0, b"file", planned or Fingerprint.of(file.stat()), stored)
    prover = Unchanged(remembered, lambda _no, _path: bytes(file), "bucket", NOT_ASKED, Policy(), control or Control(1))
    return prover.among([candidate]).get(7)


def changed_ms(file: Path) -> int:
    return file.stat().st_ctime_ns // 1_000_000


def test_a_receipt_is_believed_without_reading_when_the_file_was_left_alone_since_well_before(file: Path) -> None:
    file.write_bytes(SENT[::-1])  # not what was sent: whoever reads it finds out
    at_rest = changed_ms(file) + 2001
    assert unchanged(file, [("key", Fingerprint.of(file.stat()), RECEIPT, at_rest)]) == RECEIPT


@pytest.mark.parametrize("content", [SENT, SENT[::-1]])
def test_a_file_that_may_have_been_touched_since_is_read_and_held_against_the_receipt(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    proof = unchanged(file, [("key", Fingerprint.of(file.stat()), RECEIPT, changed_ms(file) + 2000)])
    assert proof == (RECEIPT if content == SENT else None)


@pytest.mark.parametrize("difference", [{"mtime_ns": 1}, {"inode": 1}])
def test_another_file_is_read_however_long_it_was_left_alone(file: Path, difference: dict[str, int]) -> None:
    file.write_bytes(SENT[::-1])
    fingerprint = Fingerprint.of(file.stat())._replace(**difference)
    assert unchanged(file, [("key", fingerprint, RECEIPT, changed_ms(file) + 10_000)]) is None


def test_a_file_that_is_not_the_one_that_was_planned_any_more_is_left_to_be_sent(file: Path) -> None:
    planned = Fingerprint.of(file.stat())._replace(mtime_ns=1)
    assert unchanged(file, [("key", planned, RECEIPT, changed_ms(file) + 10_000)], planned=planned) is None


def test_a_job_that_stops_is_not_kept_by_reading(file: Path) -> None:
    control = Control(1)
    control.pause()
    with pytest.raises(Cancelled):
        unchanged(file, [("key", Fingerprint.of(file.stat()), RECEIPT, 0)], control)


def test_a_file_that_is_gone_is_not_called_unchanged(file: Path) -> None:
    fingerprint = Fingerprint.of(file.stat())
    missing = file.with_name("missing")
    candidate = Candidate(7, "key", 0, b"missing", fingerprint, StoredObject("key", len(SENT), "opaque", 0))
    remembered: Iterator[Remembered] = iter([("key", fingerprint, RECEIPT, changed_ms(file) + 10_000)])
    prover = Unchanged(remembered, lambda _no, _path: bytes(missing), "bucket", NOT_ASKED, Policy(), Control(1))
    assert prover.among([candidate]) == {}


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("1700000000.123456789", True),
        ("1700000000.123456788", False),
        ("1700000000.123", True),
        ("1700000000.124", False),
        ("1700000000", True),
        ("1700000001", False),
        ("1700000000.", False),
        ("-1700000000", False),
        ("2023-11-14", False),
        ("", False),
    ],
)
def test_a_written_time_is_compared_as_precisely_as_it_is_written(written: str, same: bool) -> None:
    assert is_moment(written, 1_700_000_000_123_456_789) is same
