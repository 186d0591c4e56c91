"""How the command starts: fast, with options on both sides of the command, and quiet when its reader leaves."""

from __future__ import annotations

import subprocess
import sys

import pytest

from s3tui import __version__
from s3tui.cli.main import build_parser, parse
from tests.cli.command import Home

HEAVY = ("boto3", "botocore", "sqlalchemy", "alembic", "pydantic", "textual", "dramatiq", "rich", "yaml", "asyncio")


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


def test_version_is_the_packages(home: Home) -> None:
    assert home.run("--version").stdout == f"s3tui {__version__}\n"


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


def test_every_command_of_this_version_has_help() -> None:
    text = build_parser().format_help()
    for command in ("tui", "demo", "upload", "jobs", "status", "config", "worker"):
        assert f"\n    {command} " in text


def test_a_reader_that_leaves_early_is_no_error(home: Home) -> None:
    process = home.start("config", "show")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.wait(30)
