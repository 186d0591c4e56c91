"""When a file may be taken: candidates in their order and bound, and files that are open for writing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from s3tui.model import FileState, Fingerprint
from s3tui.transfer.at_rest import Candidate, Candidates, Sight, is_open_for_writing
from tests.waiting import wait_until

SIGHT = Sight(Fingerprint(1, 2, 3), FileState.PLANNED, None)


def candidate(number: int) -> Candidate:
    return Candidate(0, b"%d" % number)


def test_candidates_are_due_after_a_while_in_their_order_with_what_was_seen() -> None:
    candidates = Candidates(0.05)
    assert candidates.offer(candidate(2))
    assert candidates.offer(candidate(1), SIGHT)
    assert candidates.due() == []
    due: list[tuple[Candidate, Sight | None]] = []

    def both_are_due() -> bool:
        due.extend(candidates.due())
        return len(due) == 2

    wait_until(both_are_due)
    assert due == [(candidate(2), None), (candidate(1), SIGHT)]
    assert candidates.due() == []


def test_one_that_waits_goes_on_waiting_as_it_was() -> None:
    candidates = Candidates(0.0)
    candidates.offer(candidate(1))
    assert candidates.offer(candidate(1), SIGHT)
    assert candidates.due() == [(candidate(1), None)]


def test_there_is_room_for_so_many_and_the_restless_make_room() -> None:
    candidates = Candidates(0.0, limit=3)
    assert [candidates.offer(candidate(number), restless=number == 0) for number in range(4)] == [True, True, True, False]
    assert candidates.full
    assert candidates.offer(candidate(2))
    candidates.let_go_of_restless()
    assert candidates.offer(candidate(4))
    assert [waiting for waiting, _sight in candidates.due()] == [candidate(1), candidate(2), candidate(4)]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tell")
def test_a_file_that_another_process_writes_to_is_seen_to_be_open_and_the_writer_is_not_disturbed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    script = (
        "import sys; stream = open(sys.argv[1], 'w'); print(flush=True); stream.write(input()); stream.close(); print(flush=True)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        writer.stdout.readline()
        assert is_open_for_writing(bytes(path))
        writer.stdin.write(b"content\n")
        writer.stdin.flush()
        writer.stdout.readline()
        assert not is_open_for_writing(bytes(path))
    assert path.read_text() == "content"


def test_what_is_only_read_or_not_there_is_not_open_for_writing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (tmp_path / "file").open("rb"):
        assert not is_open_for_writing(bytes(tmp_path / "file"))
    assert not is_open_for_writing(bytes(tmp_path / "nothing"))
    assert not is_open_for_writing(bytes(tmp_path))
