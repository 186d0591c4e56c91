"""How the command starts: fast, with options on both sides of the command, and quiet when its reader leaves."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from importlib.metadata import version

import pytest

from s3tui import __version__
from s3tui.cli.main import COMMANDS, build_parser, parse
from tests.cli.command import INSTALLED, Home
from tests.servers import Store

HEAVY = (
    *("boto3", "botocore", "awscrt", "psycopg", "pydantic", "pydantic_settings", "textual", "rich", "dramatiq"),
    *("fastapi", "yaml", "dotenv", "asyncio", "logging", "xml.etree"),
)


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["upload", "--help"], ["jobs", "retry", "--help"]])
def test_help_and_version_load_nothing_heavy(words: list[str]) -> None:
    script = f"""
import sys
from s3tui.cli.main import run
try:
    run({words!r})
except SystemExit as left:
    assert left.code == 0
print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    assert done.stdout


@pytest.mark.parametrize("words", [["--help"], ["upload", "--help"]])
def test_help_takes_little_time(words: list[str]) -> None:
    """Processor time, the least of some: a busy machine only makes people wait for a turn."""

    def spent() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "s3tui", *words], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(spent() for _ in range(5)) < 0.15


def test_an_upload_with_plain_settings_loads_no_sdk(home: Home, rclone_store: Store) -> None:
    (home.work / "file").write_text("contents")
    home.at(rclone_store)
    done = home.run("upload", "file", f"s3://{rclone_store.bucket}/", PYTHONPROFILEIMPORTTIME="1")
    assert done.code == 0
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "s3tui.transfer.wire.office" in imported
    assert imported & {"boto3", "botocore", "urllib3", "textual", "rich", "psycopg", "dramatiq", "yaml", "asyncio"} == set()
    assert rclone_store.contents() == {"file": b"contents"}


def test_the_process_that_carries_loads_no_more_than_it_needs() -> None:
    script = f"import sys, s3tui.transfer.wire.child; print(sorted(set({HEAVY!r}) - {{'asyncio', 'logging'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_version_is_the_packages_with_what_an_error_report_needs(home: Home) -> None:
    python = ".".join(map(str, sys.version_info[:3]))
    built = rf"\(({'commit [0-9a-f]{12}, ' if INSTALLED else ''})Python {python}, Textual {version('textual')}\)"
    assert re.fullmatch(rf"s3tui {__version__} {built}\n", home.run("--version").stdout)


@pytest.mark.parametrize(
    "line",
    [
        "-q -v --config c.yaml --env-file e upload a s3://b",
        "upload -q -v --config c.yaml --env-file e a s3://b",
        "upload a s3://b -q -v --config c.yaml --env-file e",
        "-q --config c.yaml upload a --env-file e s3://b -v",
    ],
)
def test_global_options_are_taken_on_both_sides_of_the_command(line: str) -> None:
    arguments = parse(line.split())
    assert (arguments.quiet, arguments.verbose, arguments.config, arguments.env_file) == (True, 1, "c.yaml", "e")
    assert arguments.paths == ["a", "s3://b"]


def test_verbose_adds_up_over_both_sides() -> None:
    assert parse(["-v", "jobs", "list", "-v"]).verbose == 2


def test_options_may_stand_between_sources_and_target() -> None:
    arguments = parse(["upload", "a", "--include", "x*", "b", "--exclude", "y", "--dry-run", "s3://c/d", "--include", "z"])
    assert arguments.paths == ["a", "b", "s3://c/d"]
    assert arguments.rules == (("include", "x*"), ("exclude", "y"), ("include", "z"))
    assert arguments.dry_run


def test_a_source_that_looks_like_an_option_stands_behind_two_dashes() -> None:
    assert parse(["upload", "--dry-run", "--", "-odd", "s3://b"]).paths == ["-odd", "s3://b"]


def test_jobs_alone_lists_them() -> None:
    assert parse(["jobs"]).run is parse(["jobs", "list"]).run


def test_help_names_every_command() -> None:
    text = build_parser([]).format_help()
    assert [command for command in COMMANDS if f"\n    {command} " not in text] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_of_its_own(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse([command, "--help"])
    assert "--env-file" in capsys.readouterr().out


def test_a_value_that_reads_like_a_command_is_a_value() -> None:
    assert parse(["--config", "upload", "jobs"]).run is parse(["jobs"]).run


def test_a_reader_that_leaves_early_is_no_error(home: Home) -> None:
    process = home.start("config", "show")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.wait(30)
