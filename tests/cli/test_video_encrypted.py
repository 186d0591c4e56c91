"""`s3tui video --hls-key`: what is on the store is nothing without the key, and the key is nowhere."""

from __future__ import annotations

import base64
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.cli.command import Home, ended
from tests.cli.test_secrets import written
from tests.films import faults
from tests.front import FaultFront
from tests.media.clips import SECONDS, Clips, frames
from tests.servers import Store

pytestmark = pytest.mark.thorough(one_in=8)

KEY = b"\x00\xffSixteen\n\"'\\\x1b\x80\x01"
ADDRESS = "/keys/film?v=1"
FAST = ("--preset", "ultrafast", "--segment-seconds", "1", "--segment-type", "ts")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """The file of the key, outside of all that commands write to."""
    path = tmp_path / "film.key"
    path.write_bytes(KEY)
    return path


def words(store: Store, clip: Path, key: Path | str, *more: str) -> list[str]:
    """The command that makes an encrypted video below `p/`."""
    return ["video", *FAST, str(clip), f"s3://{store.bucket}/p", "--hls-key", str(key), "--hls-key-url", ADDRESS, *more]


def tells_the_key(data: bytes) -> bool:
    """Whether the key can be read in this, in any usual spelling."""
    spelled = (KEY.hex().encode(), KEY.hex(" ").encode(), base64.b64encode(KEY)[:20], repr(KEY).encode()[2:-1])
    return KEY in data or any(spelling.lower() in data.lower() for spelling in spelled)


@contextmanager
def served(files: dict[str, bytes]) -> Iterator[str]:
    """A web server with these files by path; yields its URL."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = files.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is said."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("name", ["plain.mp4", "silent.mp4", "languages.mkv", "subtitled.mkv"])
def test_an_encrypted_video_is_faultless_for_who_has_the_key(
    home: Home, rclone_store: Store, clips: Clips, ffmpeg: str, key: Path, name: str
) -> None:
    home.at(rclone_store)
    clip = clips.subtitled() if name == "subtitled.mkv" else clips[name]
    done = home.run(*words(rclone_store, clip, key, "--ladder", "180,120", "--output-json", "report.json", "--json-lines"))
    assert done.code == 0, done.stderr
    assert faults(rclone_store, f"p/{clip.stem}/master.m3u8", ffmpeg, SECONDS, {ADDRESS: KEY}) == []
    contents = rclone_store.contents()
    segments = [body for name, body in contents.items() if name.endswith(".ts")]
    assert segments
    assert not [body for body in segments if body[:188:187].count(b"G") or len(body) % 16]
    assert {name.rpartition(".")[2] for name in contents} == {"m3u8", "ts"} | ({"vtt"} if name == "subtitled.mkv" else set())
    with served({f"/{path}": body for path, body in contents.items()} | {ADDRESS: KEY}) as site:
        assert len(frames(ffmpeg, f"{site}/p/{clip.stem}/master.m3u8")) == 30
    with served({f"/{path}": body for path, body in contents.items()} | {ADDRESS: bytes(16)}) as site:
        assert frames(ffmpeg, f"{site}/p/{clip.stem}/master.m3u8") == []


def test_a_source_that_is_cut_as_it_is_is_encrypted_too(
    home: Home, rclone_store: Store, clips: Clips, ffmpeg: str, key: Path
) -> None:
    home.at(rclone_store)
    done = home.run(*words(rclone_store, clips["plain.mp4"], key, "--ladder", "180"))
    assert done.code == 0, done.stderr
    assert faults(rclone_store, "p/plain/master.m3u8", ffmpeg, SECONDS, {ADDRESS: KEY}) == []
    with served({f"/{path}": body for path, body in rclone_store.contents().items()} | {ADDRESS: KEY}) as site:
        assert frames(ffmpeg, f"{site}/p/plain/master.m3u8") == frames(ffmpeg, clips["plain.mp4"])


def test_the_key_is_nowhere_while_a_video_is_made_and_after(
    home: Home, rclone_store: Store, front: FaultFront, clips: Clips, key: Path
) -> None:
    home.at(rclone_store.behind(front))
    held = front.hold("PutObject", r"120p/00002\.ts")
    home.environment["S3TUI_LOGGING__LEVEL"] = "DEBUG"
    more = ("--ladder", "180,120", "--output-json", "report.json", "--output-csv", "report.csv", "--json-lines", "-vv")
    process = home.start(*words(rclone_store, clips["plain.mp4"], os.path.relpath(key, home.work), *more))
    assert held.arrived.wait(30)
    work = home.directory / "state" / "s3tui" / "video"
    [segment] = work.glob("*/120p/00002.ts")
    assert segment.read_bytes()[:1] != b"G"
    assert b"film.key" in written(home), "the path is remembered"
    assert not tells_the_key(written(home))
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if tells_the_key(said_of(path))]
    held.open()
    done = ended(process)
    assert done.code == 0, done.stderr
    assert "files" in (home.work / "report.json").read_text()
    assert not tells_the_key(written(home) + done.stdout.encode() + done.stderr.encode())
    assert not [name for name, body in rclone_store.contents().items() if tells_the_key(body)]
    assert not list(work.iterdir())


def said_of(path: Path) -> bytes:
    """How a process was started, if it is still there."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_the_same_film_twice_under_one_key_looks_different(home: Home, rclone_store: Store, clips: Clips, key: Path) -> None:
    home.at(rclone_store)
    for name in ("one", "two"):
        (home.work / f"{name}.mp4").write_bytes(clips["silent.mp4"].read_bytes())
    for name in ("one", "two"):
        done = home.run(*words(rclone_store, home.work / f"{name}.mp4", key, "--ladder", "180"))
        assert done.code == 0, done.stderr
    first, second = (rclone_store.contents()[f"p/{name}/180p/00001.ts"] for name in ("one", "two"))
    assert len(first) == len(second)
    assert first[:16] != second[:16]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--hls-key", "KEY"], "--hls-key needs --hls-key-url, too"),
        (["--hls-key-url", ADDRESS], "--hls-key-url needs --hls-key, too"),
        (["--hls-key", "KEY", "--hls-key-url", ADDRESS, "--segment-type", "fmp4"], "add --segment-type ts"),
        (["--hls-key", "KEY", "--hls-key-url", 'https://a.example/"\n#EXT'], "--hls-key-url cannot be used: it is not written as"),
        (["--hls-key", "KEY", "--hls-key-url", "https://me:pass@a.example/"], "user's name or password"),
        (["--hls-key", "KEY", "--hls-key-url", "file:///film.key"], "neither an http or https URL nor relative"),
        (["--hls-key", "short", "--hls-key-url", ADDRESS], "short cannot be used: it has 15 and not 16 bytes"),
        (["--hls-key", "none", "--hls-key-url", ADDRESS], "none cannot be used: no such file or directory"),
        (["--hls-key", ".", "--hls-key-url", ADDRESS], "work cannot be used: it is no regular file"),
        (["--hls-key", "locked", "--hls-key-url", ADDRESS], "locked cannot be used: permission denied"),
        (["--hls-key", os.fsdecode(b"\xff\n"), "--hls-key-url", ADDRESS], "cannot be used: no such file or directory"),
    ],
)
def test_what_cannot_encrypt_is_refused_before_anything_is_done(
    home: Home, rclone_store: Store, clips: Clips, key: Path, options: list[str], sentence: str
) -> None:
    home.at(rclone_store)
    home.ordinary = True
    (home.work / "short").write_bytes(KEY[:15])
    (home.work / "locked").write_bytes(KEY)
    (home.work / "locked").chmod(0)
    given = [str(key) if word == "KEY" else word for word in options]
    refused = home.run("video", *FAST, str(clips["silent.mp4"]), f"s3://{rclone_store.bucket}", *given)
    assert (refused.code, sentence in refused.sentence) == (1, True), refused.stderr
    assert not tells_the_key(refused.stderr.encode())
    assert (home.jobs(), rclone_store.contents()) == ([], {})


def test_the_configuration_may_name_key_and_address_and_a_command_may_do_without(
    home: Home, rclone_store: Store, clips: Clips, ffmpeg: str, key: Path
) -> None:
    home.at(rclone_store)
    config = home.work / "config.yaml"
    config.write_text(f"video: {{segment_type: ts, hls_key: {key}, hls_key_url: '{ADDRESS}'}}\n")
    clip, target = str(clips["silent.mp4"]), f"s3://{rclone_store.bucket}"
    assert home.run("video", *FAST, clip, target).code == 0
    assert faults(rclone_store, "silent/master.m3u8", ffmpeg, SECONDS, {ADDRESS: KEY}) == []
    plain = home.run("video", *FAST, clip, f"{target}/plain", "--hls-key", "", "--hls-key-url", "")
    assert plain.code == 0, plain.stderr
    assert faults(rclone_store, "plain/silent/master.m3u8", ffmpeg, SECONDS) == []
    assert "plain/silent/poster.jpg" in rclone_store.contents()
    config.write_text("video: {hls_key_url: 'https://a.example/\"'}\n")
    refused = home.run("video", *FAST, clip, f"{target}/other")
    assert (refused.code, "hls_key_url" in refused.sentence) == (1, True), refused.sentence


def test_a_key_that_is_gone_when_the_video_begins_fails_that_file_and_a_retry_makes_it(
    home: Home, rclone_store: Store, clips: Clips, ffmpeg: str, key: Path
) -> None:
    home.at(rclone_store)
    assert home.run(*words(rclone_store, clips["silent.mp4"], key, "--dry-run")).code == 0
    key.rename(key.with_name("elsewhere"))
    job = home.jobs()[0].id
    applied = home.run("jobs", "apply", job)
    [file] = home.report()
    assert (applied.code, file["state"], file["reason"], rclone_store.contents()) == (2, "failed", "no_key", {})
    assert "film.key cannot be used: no such file or directory" in file["error"]
    key.with_name("elsewhere").rename(key)
    assert home.run("jobs", "retry", job, "-q").code == 0
    assert faults(rclone_store, "p/silent/master.m3u8", ffmpeg, SECONDS, {ADDRESS: KEY}) == []


def test_a_background_worker_encrypts_too(home: Home, rclone_store: Store, clips: Clips, ffmpeg: str, key: Path) -> None:
    home.at(rclone_store)
    try:
        detached = home.run(*words(rclone_store, clips["silent.mp4"], os.path.relpath(key, home.work), "--detach"))
        assert detached.code == 0, detached.stderr
        assert home.run("jobs", "watch", detached.stdout.strip()).code == 0
    finally:
        home.stop_workers()
    assert faults(rclone_store, "p/silent/master.m3u8", ffmpeg, SECONDS, {ADDRESS: KEY}) == []
    assert not tells_the_key(written(home))


def test_without_its_library_the_sentence_names_the_extra(
    home: Home, rclone_store: Store, clips: Clips, key: Path, tmp_path: Path
) -> None:
    home.at(rclone_store)
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "cryptography.py").write_text("raise ImportError('not installed')\n")
    path = f"{tmp_path / 'without'}:{home.variables.get('PYTHONPATH', '')}"
    refused = home.run(*words(rclone_store, clips["silent.mp4"], key), PYTHONPATH=path)
    assert (refused.code, home.jobs()) == (1, [])
    assert "pip install 's3tui[video]'" in refused.sentence
    assert home.run("video", *FAST, str(clips["silent.mp4"]), f"s3://{rclone_store.bucket}", PYTHONPATH=path).code == 0
