"""Programs run to their end, or until their time is up."""

from __future__ import annotations

import signal
import sys
import time

import pytest

from s3tui.media.process import run


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_what_it_says_is_kept_and_what_it_gives_is_handed_over() -> None:
    given: list[bytes] = []
    ended = run(
        python("import sys; print('given'); sys.stderr.buffer.write(b'said \\xff'); sys.exit(3)"),
        seconds=20,
        cpu_seconds=20,
        take=given.append,
    )
    assert (ended.code, ended.said, ended.overdue) == (3, "said \udcff", False)
    assert b"".join(given) == b"given\n"


def test_it_has_no_input() -> None:
    given: list[bytes] = []
    run(python("import sys; print(repr(sys.stdin.read()))"), seconds=20, cpu_seconds=20, take=given.append)
    assert b"".join(given) == b"''\n"


def test_a_flood_of_words_neither_fills_memory_nor_blocks_it() -> None:
    ended = run(python("import sys\nfor _ in range(64): sys.stderr.write('x' * (1 << 16))"), seconds=20, cpu_seconds=20)
    assert (ended.code, len(ended.said)) == (0, 1 << 20)


def test_its_whole_group_is_killed_when_its_time_is_up() -> None:
    began = time.monotonic()
    program = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    ended = run(python(program), seconds=0.5, cpu_seconds=20)
    assert ended.overdue
    assert ended.code == -signal.SIGKILL
    assert time.monotonic() - began < 20


def test_it_is_overdue_on_the_processor_too() -> None:
    assert run(python("while True: pass"), seconds=20, cpu_seconds=1).overdue


def test_it_is_killed_when_nobody_wants_what_it_gives() -> None:
    def refuse(piece: bytes) -> None:
        raise ValueError(piece)

    began = time.monotonic()
    with pytest.raises(ValueError, match="1"):
        run(python("import time; print(1, flush=True); time.sleep(60)"), seconds=60, cpu_seconds=20, take=refuse)
    assert time.monotonic() - began < 20
