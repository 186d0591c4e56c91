"""Every command of the README and the pages is run as it is written, by a new user, against a real store.

What stands for something of the reader's gets a stand-in (`reader.py`). What cannot be run here is named below with the reason; its
syntax is checked nevertheless, and every `s3tui` in it is parsed.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pytest

from s3tui.cli.main import parse
from s3tui.errors import SpecError
from tests.cli.command import Home
from tests.docs.reader import Reader
from tests.docs.written import Block, blocks, inline, s3tui_words
from tests.front import FaultFront
from tests.media.clips import Clips
from tests.servers import Store

NOT_RUN = {
    r"make ": "CI runs demo, test and docs; the benchmarks take half an hour",
    r"\.venv/bin/(python -m benchmarks|pytest)": "the same",
    r"pip(x)? install ": "tests/test_packaging.py installs the wheel",
    r"docker compose ": "there is no docker here; tests/deploy checks the files",
    r"redis-cli ": "tests/live asks a Redis for all that the page names",
    r"ssh ": "there is no other machine",
    r"export TOKEN=": "the reader has one",
}
"""Lines that begin so, and why they are not run."""

ENDLESS = {
    r"s3tui .*--watch(?!.*--detach)": ("", 130),
    r"s3tui api(?! token)": ("answers at", 0),
    r"s3tui web": ("token=", 0),
    r"s3tui (--config \S+ )?worker": ("takes jobs from", 0),
    r"call -N ": ("event: job", -2),
}
"""Lines that go on until Ctrl-C: what they say before, and the exit code."""

SCREEN = re.compile(r"s3tui( tui\b.*)?$")
"""Lines that open the terminal UI."""

BLOCKS = list(blocks())
PLACEHOLDERS = {"s3tui COMMAND --help", "s3tui completion SHELL"}
"""Words in capitals that are no arguments yet."""

T = TypeVar("T")


def of(table: Mapping[str, T], line: str) -> T | None:
    """What a table says of a line."""
    return next((value for pattern, value in table.items() if re.match(pattern, line)), None)


@pytest.fixture
def reader(tmp_path: Path, rclone_store: Store, clips: Clips) -> Iterator[Reader]:
    """A new user with a bucket."""
    person = Reader(Home(tmp_path / "home"), rclone_store, clips)
    yield person
    person.leave()


@pytest.fixture
def front(rclone_store: Store) -> Iterator[FaultFront]:
    """The same store, where it refuses something."""
    with FaultFront(rclone_store.url) as running:
        yield running


@pytest.mark.thorough(one_in=9)
@pytest.mark.parametrize("block", [block for block in BLOCKS if not all(of(NOT_RUN, line) for line in block.lines)], ids=str)
def test_the_block_runs_as_it_is_written(block: Block, reader: Reader, front: FaultFront) -> None:
    if any("--tls-cert" in line for line in block.lines):
        reader.certify()
    for written in block.lines:
        if of(NOT_RUN, written):
            continue
        reader.lay_out()
        if re.search(r"jobs retry ID|jobs/ID/retry", written):
            reader.fail_a_file(front)
        line = reader.stands_for(written)
        if SCREEN.match(written):
            assert "s3tui" in reader.open(line)
        elif endless := of(ENDLESS, written):
            awaited, expected = endless
            code, said = reader.paste_and_stop(line, awaited)
            assert code == expected, f"{line}\n{said}"
            assert awaited in said
        else:
            code, said = reader.paste(line)
            assert code == 0, f"{line}\n{said}"


def test_there_are_commands_to_run() -> None:
    assert len(BLOCKS) > 20
    assert sum(line.startswith("s3tui ") for block in BLOCKS for line in block.lines) > 60


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_the_block_is_the_shells_language(block: Block) -> None:
    checked = subprocess.run(["bash", "-n"], input="\n".join(block.lines), capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_the_program_knows_what_it_is_asked(block: Block) -> None:
    for line in block.lines:
        for words in s3tui_words(line):
            accept(words)


@pytest.mark.parametrize(("page", "command"), [found for found in inline() if found[1] not in PLACEHOLDERS])
def test_the_program_knows_what_sentences_name(page: str, command: str) -> None:
    for words in s3tui_words(command):
        try:
            accept(words)
        except SpecError as error:  # a sentence may name a command without what it is given
            if "is missing" not in str(error):
                raise


@pytest.mark.parametrize("pattern", [*NOT_RUN, *ENDLESS])
def test_the_lists_name_nothing_that_is_not_written(pattern: str) -> None:
    assert any(re.match(pattern, line) for block in BLOCKS for line in block.lines)


def accept(words: list[str]) -> None:
    """Parse a command line; `--help` and `--version` leave at once."""
    with suppress(SystemExit):
        parse(words)
