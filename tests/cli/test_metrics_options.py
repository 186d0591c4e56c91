"""`--metrics-port`: a worker, or a command that is its own worker, answers Prometheus while it works."""

from __future__ import annotations

import re
import socket
import subprocess
from pathlib import Path

import pytest

from s3tui.model import JobState
from tests.cli.command import Home, ended
from tests.servers import Store
from tests.test_metrics import scrape
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=3)


def served_at(process: subprocess.Popen[bytes]) -> str:
    """Where the command says that its metrics are."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"http://127\.0\.0\.1:\d+/metrics", line.decode()):
            return found[0]
    raise AssertionError(f"the command ended with {process.wait(5)}, and served nothing")


def test_a_worker_tells_what_the_report_tells(any_home: Home, rclone_store: Store, tree: Path) -> None:
    any_home.at(rclone_store)
    (tree / "link").symlink_to("0/file-000.txt")
    process = any_home.start("worker", "--metrics-port", "0")
    url = served_at(process)
    wait_until(any_home.workers, 30, "the worker to be registered")
    assert any_home.run("upload", "tree", f"s3://{rclone_store.bucket}", "--detach").code == 0
    wait_until(lambda: any_home.jobs()[0].state is JobState.COMPLETED, 30, "the job to be completed")
    samples = scrape(url)
    totals = any_home.run("jobs", "report", any_home.jobs()[0].id).json["totals"]
    assert (totals["found"], totals["uploaded"], totals["skipped"]) == (301, 300, 1)
    for field, name in (
        ("found", "s3tui_files_found_total"),
        ("uploaded", "s3tui_files_uploaded"),
        ("skipped", "s3tui_files_skipped_total"),
        ("failed", "s3tui_files_failed"),
        ("bytes", "s3tui_uploaded_bytes_total"),
        ("retries", "s3tui_retries_total"),
    ):
        assert samples[name, "upload"] == totals[field], name
    assert samples["s3tui_jobs", "upload", "completed"] == 1
    assert samples["s3tui_workers",] == 1
    process.terminate()
    assert ended(process).code == 0


def test_a_headless_upload_serves_metrics_too(home: Home, rclone_store: Store, tree: Path) -> None:
    home.at(rclone_store)
    done = home.run("upload", "tree", f"s3://{rclone_store.bucket}", "--metrics-port", "0")
    assert done.code == 0, done.stderr
    assert "Metrics are served at http://127.0.0.1:" in done.stderr


@pytest.mark.parametrize("words", [("worker",), ("upload", "tree", "s3://bucket")])
def test_a_port_that_is_taken_is_one_sentence_and_nothing_begins(home: Home, tree: Path, words: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = home.run(*words, "--metrics-port", str(port))
    assert done.code == 1
    assert f"Metrics cannot be served at 127.0.0.1 port {port}: Address already in use." in done.sentence
    assert home.jobs() == []
    assert home.workers() == []


@pytest.mark.parametrize("port", ["70000", "x", "-1"])
def test_what_is_no_port_is_refused(home: Home, port: str) -> None:
    done = home.run("worker", f"--metrics-port={port}")
    assert done.code == 1
    assert "is not a port" in done.sentence


def test_without_its_library_the_sentence_names_the_extra(home: Home, tmp_path: Path) -> None:
    (tmp_path / "prometheus_client.py").write_text("raise ImportError('not installed')\n")
    path = f"{tmp_path}:{home.variables.get('PYTHONPATH', '')}"
    done = home.run("worker", "--metrics-port", "0", PYTHONPATH=path)
    assert done.code == 1
    assert "pip install 's3tui[metrics]'" in done.sentence
