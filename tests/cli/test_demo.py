"""`s3tui demo`, as a user runs it: real processes, a real endpoint, a home that is not ours to touch."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from s3tui.cli.sample import REFUSED, make_sample
from tests.terminal import Terminal

pytestmark = pytest.mark.thorough(one_in=5)

DEMO = [sys.executable, "-m", "s3tui", "demo"]


@pytest.fixture
def user_home(tmp_path: Path) -> Path:
    """A user's home with settings that lead elsewhere, all of which the demo must leave alone."""
    for name in ("state", "config/s3tui", "tmp", "work"):
        (tmp_path / name).mkdir(parents=True)
    for config in ("config/s3tui/config.yaml", "work/config.yaml"):
        (tmp_path / config).write_text(
            "aws: {endpoint_url: 'http://127.0.0.1:9', region: mars-1}\nstate: {url: 'postgresql://127.0.0.1:9/x'}\n"
        )
    (tmp_path / "work" / ".env").write_text("AWS_PROFILE=nobody\n")
    return tmp_path


@pytest.fixture
def environment(user_home: Path) -> dict[str, str]:
    return os.environ | {
        "HOME": str(user_home),
        "TMPDIR": str(user_home / "tmp"),
        "XDG_STATE_HOME": str(user_home / "state"),
        "XDG_CONFIG_HOME": str(user_home / "config"),
        "AWS_PROFILE": "nobody",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
        "AWS_SESSION_TOKEN": "real-token",
        "DATABASE_URL": "postgresql://127.0.0.1:9/x",
        "S3TUI_TRANSFER__CONCURRENCY": "0",
        "http_proxy": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }


def test_sample_is_the_same_every_time(tmp_path: Path) -> None:
    samples = [make_sample(tmp_path / name) for name in ("first", "second")]

    assert _digests(samples[0].root) == _digests(samples[1].root)


def test_sample_counts_what_it_wrote(tmp_path: Path) -> None:
    sample = make_sample(tmp_path / "sample")

    kinds = [stat.S_IFMT(path.lstat().st_mode) for path in sample.root.rglob("*")]
    assert sample.files == kinds.count(stat.S_IFREG) > 200
    assert sample.unfit == kinds.count(stat.S_IFLNK) + kinds.count(stat.S_IFIFO)
    assert sample.bytes == sum(path.lstat().st_size for path in sample.root.rglob("*") if stat.S_ISREG(path.lstat().st_mode))
    assert (sample.root / REFUSED).is_file()


def test_without_a_terminal_uploads_retries_and_reports(user_home: Path, environment: dict[str, str]) -> None:
    ended = subprocess.run(
        DEMO, cwd=user_home / "work", env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stderr
    report = ended.stdout.splitlines()[-1]
    found, uploaded, skipped, failed = (int(_number(report, word)) for word in ("found", "uploaded", "skipped", "failed"))
    assert (uploaded, skipped, failed) == (found - 2, 2, 0)
    assert f"{REFUSED}: " in ended.stdout
    assert re.search(r"^\$ s3tui jobs retry \w+ ", ended.stderr, re.MULTILINE)
    _assert_nothing_is_left(user_home, ended.stderr)


def test_on_a_terminal_opens_the_ui_with_a_failure_to_retry(user_home: Path, environment: dict[str, str]) -> None:
    with Terminal(DEMO[1:], environment, columns=100, lines=30, directory=user_home / "work") as terminal:
        terminal.until_seen("Show the plan")
        terminal.press("\r")
        terminal.until_seen("planned")
        terminal.press("\r")
        terminal.until_seen("partial")
        terminal.press("4")
        terminal.until_seen(REFUSED)
        terminal.press("r")
        terminal.until_seen("completed")
        terminal.press("q")

        assert terminal.process.wait(60) == 0
    assert list((user_home / "tmp").iterdir()) == []
    assert list((user_home / "state").iterdir()) == []


def test_ends_clean_when_it_is_interrupted(user_home: Path, environment: dict[str, str]) -> None:
    demo = subprocess.Popen(
        [*DEMO, "--headless"], cwd=user_home / "work", env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    with demo:
        assert demo.stderr is not None
        said = ""
        while "$ s3tui upload" not in said:
            line = demo.stderr.readline()
            assert line, said
            said += line
        demo.send_signal(signal.SIGTERM)
        said += demo.stderr.read()

    assert demo.returncode == 130, said
    _assert_nothing_is_left(user_home, said)


def _assert_nothing_is_left(user_home: Path, said: str) -> None:
    assert list((user_home / "tmp").iterdir()) == []
    assert list((user_home / "state").iterdir()) == []
    listened = re.search(r"http://127\.0\.0\.1:(\d+)", said)
    assert listened is not None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(listened[1])))


def _number(text: str, word: str) -> str:
    match = re.search(rf"(\d+) {word}", text)
    assert match is not None, text
    return match[1]


def _digests(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if stat.S_ISREG(path.lstat().st_mode)
    }
