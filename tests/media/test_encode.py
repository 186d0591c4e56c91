"""A run of ffmpeg and of programs that behave worse: watched, held, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from s3tui.errors import TranscodeError
from s3tui.media import commands
from s3tui.media.encode import Encoder, run
from s3tui.media.plan import Plan
from tests.media.clips import SECONDS, Clips, endless, listed, make_directories, plan_of, source_of
from tests.waiting import wait_until

SOURCE = b"/videos/a\n.mp4"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")


def program(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def is_gone(pid: int) -> bool:
    try:
        if sys.platform == "linux":
            return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
        os.kill(pid, 0)
    except (FileNotFoundError, ProcessLookupError):
        return True
    return False


@pytest.fixture
def plan() -> Plan:
    return plan_of()


@pytest.fixture
def work(tmp_path: Path, plan: Plan) -> Path:
    make_directories(tmp_path, plan)
    return tmp_path


def test_progress_reaches_the_end_and_never_goes_back(ffmpeg: str, clips: Clips, work: Path, plan: Plan) -> None:
    with Encoder(commands.hls(ffmpeg, source_of(clips["silent.mp4"]), plan), work, SOURCE) as encoder:
        times = [progress.out_time_us for progress in encoder.beats()]
        ended = encoder.ended
    assert times == sorted(times)
    assert times[-1] == pytest.approx(SECONDS * 1_000_000, abs=100_000)
    assert (ended.code, ended.finished, ended.succeeded) == (0, True, True)


def test_no_thread_is_made(ffmpeg: str, work: Path, plan: Plan) -> None:
    before = threading.active_count()
    with Encoder(endless(ffmpeg, plan), work, SOURCE) as encoder:
        next(encoder.beats())
        assert threading.active_count() == before


def test_a_killed_encode_leaves_no_playlist_that_looks_whole(ffmpeg: str, work: Path, plan: Plan) -> None:
    with Encoder(endless(ffmpeg, plan), work, SOURCE) as encoder:
        for _ in encoder.beats(0.02):
            if (work / "180p" / "00001.m4s").exists():
                encoder.kill()
        assert (encoder.ended.code, encoder.ended.finished) == (-signal.SIGKILL, False)
    assert not list(work.glob("*/*.m3u8"))


def test_leaving_the_block_ends_ffmpeg_even_while_it_is_paused(ffmpeg: str, work: Path, plan: Plan) -> None:
    with Encoder(endless(ffmpeg, plan), work, SOURCE) as encoder:
        next(encoder.beats())
        encoder.pause()
        assert not is_gone(encoder.pid)
    assert is_gone(encoder.pid)


def test_a_truncated_source_succeeds_and_is_told_by_its_length_only(ffmpeg: str, clips: Clips, work: Path, plan: Plan) -> None:
    cut = work / "cut.ts"
    whole = clips["plain.ts"].read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    with Encoder(commands.hls(ffmpeg, source_of(cut), plan), work, SOURCE) as encoder:
        *_, last = encoder.beats()
        assert encoder.ended.succeeded
    assert last.out_time_us < SECONDS * 1_000_000 * 0.8
    assert sum(listed(work / "90p" / "index.m3u8")[0]) < SECONDS * 0.8


@LINUX
def test_a_paused_encode_stands_still_and_completes_later(ffmpeg: str, clips: Clips, work: Path, plan: Plan) -> None:
    with Encoder(commands.hls(ffmpeg, source_of(clips["silent.mp4"]), plan), work, SOURCE, patience=20) as encoder:
        encoder.pause()
        encoder.pause()
        beats = encoder.beats(0.02)
        stood = [next(beats).out_time_us for _ in range(10)]
        assert "\nState:\tT" in Path(f"/proc/{encoder.pid}/status").read_text()
        assert stood[0] == stood[-1]
        encoder.resume()
        assert list(beats)[-1].out_time_us > 0
        assert encoder.ended.succeeded
    assert sum(listed(work / "90p" / "index.m3u8")[0]) == pytest.approx(SECONDS, abs=0.05)


def test_a_flood_of_complaints_blocks_nobody_and_is_kept_in_part(tmp_path: Path) -> None:
    flood = "import sys; [sys.stderr.write('x' * 5000 + chr(10)) for _ in range(2000)]; print('progress=end')"
    ended = run(program(flood), tmp_path, SOURCE)
    assert ended.succeeded
    assert ended.tail == ("x" * 1000,) * 100


def test_complaints_are_safe_to_show(tmp_path: Path) -> None:
    assert run(program(r"import sys; sys.stderr.write('\x1b[2J\xff')"), tmp_path, SOURCE).tail == ("\\x1b[2Jÿ",)


def test_one_that_no_longer_moves_is_ended(tmp_path: Path) -> None:
    stuck = program("import time; print('out_time_us=5\\nprogress=continue', flush=True); time.sleep(60)")
    encoder = Encoder(stuck, tmp_path, SOURCE, patience=0.3)
    with encoder, pytest.raises(TranscodeError, match=r"Encode /videos/a\\n\.mp4: ffmpeg made no progress") as caught:
        list(encoder.beats(0.05))
    assert caught.value.reason == "stalled"
    assert is_gone(encoder.pid)


def test_one_that_is_paused_is_not_stuck(tmp_path: Path) -> None:
    with Encoder(program("import time; time.sleep(60)"), tmp_path, SOURCE, patience=0.1) as encoder:
        encoder.pause()
        beats = encoder.beats(0.05)
        assert [next(beats).out_time_us for _ in range(6)] == [0] * 6


def test_one_that_closes_its_outputs_early_is_still_waited_for(tmp_path: Path) -> None:
    closing = program("import os, time; os.close(1); os.close(2); time.sleep(0.3); os._exit(3)")
    assert run(closing, tmp_path, SOURCE).code == 3


def test_a_program_that_is_not_there_says_so(tmp_path: Path) -> None:
    ended = run(["/nowhere/ffmpeg"], tmp_path, SOURCE)
    assert (ended.code, ended.tail) == (127, ("/nowhere/ffmpeg: No such file or directory",))


def test_it_runs_apart_nicely_and_knows_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very secret")
    tell = program(
        "import os; open('told', 'w').write(repr((os.getpgrp() == os.getpid(), os.getpriority(os.PRIO_PROCESS, 0), "
        "'AWS_SECRET_ACCESS_KEY' in os.environ, os.fstat(0).st_rdev == os.stat(os.devnull).st_rdev)))"
    )
    before = os.getpriority(os.PRIO_PROCESS, 0)
    run(tell, tmp_path, SOURCE)
    assert (tmp_path / "told").read_text() == repr((True, min(19, before + 10), False, True))
    assert (tmp_path / "told").stat().st_mode & 0o777 == 0o600


@LINUX
@pytest.mark.parametrize("paused", [False, True])
def test_no_ffmpeg_outlives_a_parent_that_is_killed(ffmpeg: str, work: Path, plan: Plan, paused: bool) -> None:
    story = (
        "import sys; from pathlib import Path; from s3tui.media.encode import Encoder\n"
        f"with Encoder({endless(ffmpeg, plan)!r}, Path({str(work)!r}), b'x') as encoder:\n"
        "    beats = encoder.beats()\n"
        "    while not Path('180p/00001.m4s').exists(): next(beats)\n"
        f"    {'encoder.pause()' if paused else 'pass'}\n"
        "    print(encoder.pid, flush=True)\n"
        "    for _ in beats: pass\n"
    )
    with subprocess.Popen([sys.executable, "-c", story], cwd=work, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not is_gone(pid)
        parent.kill()
    wait_until(lambda: is_gone(pid), what="the end of ffmpeg")


@LINUX
def test_no_ffmpeg_outlives_the_thread_that_started_it(ffmpeg: str, work: Path, plan: Plan) -> None:
    encoder = Encoder(endless(ffmpeg, plan), work, SOURCE)

    def start() -> None:
        encoder.__enter__()
        wait_until((work / "180p" / "00001.m4s").exists, what="a segment")

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    wait_until(lambda: is_gone(encoder.pid), what="the end of ffmpeg")
    encoder.__exit__(None, None, None)
