"""A confined program: what it may take, what it knows, and when it ends. Python stands in for ffmpeg."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from s3tui.media.confined import confined
from tests.waiting import wait_until

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such a signal, or such a limit that is kept")


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def test_it_becomes_the_program_itself() -> None:
    program = python("import os; print(os.getpid(), os.getppid())")
    with subprocess.Popen(confined(program), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.read().split() == [str(process.pid), str(os.getpid())]


def test_words_reach_the_program_as_they_are() -> None:
    words = ["-x", "", "a b", "$(x)", "new\nline", os.fsdecode(b"\xff")]
    answer = run(confined([*python("import sys; print(ascii(sys.argv[1:]))"), *words]))
    assert answer.stdout.strip() == ascii(words)


def test_it_knows_no_secrets_and_nobody_else_may_read_what_it_writes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("FFREPORT", f"file={tmp_path}/report")
    written = tmp_path / "written"
    answer = run(confined(python(f"import os; print(sorted(os.environ)); open({str(written)!r}, 'w')")))
    assert "PATH" in answer.stdout
    assert "AWS" not in answer.stdout
    assert "FFREPORT" not in answer.stdout
    assert written.stat().st_mode & 0o777 == 0o600


def test_time_of_the_processor_is_limited() -> None:
    assert run(confined(python("while True: pass"), cpu_seconds=1)).returncode in (-signal.SIGXCPU, -signal.SIGKILL)


@LINUX
def test_memory_is_limited() -> None:
    answer = run(confined(python("bytearray(1 << 30)"), memory=512 << 20))
    assert answer.returncode == 1
    assert "MemoryError" in answer.stderr


def test_a_program_that_is_not_there_is_told() -> None:
    answer = run(confined(["/gone/ffmpeg"]))
    assert answer.returncode == 127
    assert answer.stderr == "/gone/ffmpeg: No such file or directory\n"


def test_a_pipe_that_nobody_reads_ends_it() -> None:
    """Python ignores that signal, and what is ignored stays so in the next program."""
    yes = shutil.which("yes")
    assert yes is not None
    with subprocess.Popen(confined([yes]), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.wait(10) == -signal.SIGPIPE


@LINUX
def test_it_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    starter = python(
        "import subprocess, sys, time\n"
        "from s3tui.media.confined import confined\n"
        "child = subprocess.Popen(confined([sys.executable, '-c', 'import time; print(1, flush=True); time.sleep(60)']),"
        " stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(starter, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert alive(child)
        process.kill()
    wait_until(lambda: not alive(child))


@LINUX
def test_it_dies_with_the_thread_that_started_it() -> None:
    started: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        process = subprocess.Popen(confined(python("import time; print(1, flush=True); time.sleep(60)")), stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        started.append(process)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    with started[0] as process:
        assert process.wait(10) == -signal.SIGKILL


def test_it_does_not_start_for_a_process_that_is_gone() -> None:
    command = confined(python("print(1)"))
    command[command.index(str(os.getpid()))] = "1"
    answer = run(command)
    assert (answer.returncode, answer.stdout) == (127, "")


def alive(pid: int) -> bool:
    """Whether a process runs that is not ours; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except FileNotFoundError:
        return False
