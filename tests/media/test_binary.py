"""Which ffmpeg is taken."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from s3tui.errors import ConfigError
from s3tui.media.binary import Ffmpeg, find_ffmpeg, look_at

ENCODERS = ("libx264", "aac", "webvtt", "mjpeg")
FILTERS = ("fps", "split", "scale", "setsar", "format", "bwdif", "zscale", "tonemap", "tile")


def script(directory: Path, version: str, *, without: tuple[str, ...] = ()) -> Path:
    """A program that answers like an ffmpeg of that version."""
    encoders = "".join(f" V....D {name:<20} {name}\n" for name in ENCODERS if name not in without)
    filters = "".join(f" TS {name:<17} V->V  {name}\n" for name in FILTERS if name not in without)
    answers = {"-version": f"ffmpeg version {version} Copyright\n", "-encoders": encoders, "-filters": filters}
    path = directory / "ffmpeg"
    directory.mkdir(exist_ok=True)
    path.write_text(f"#!{sys.executable}\nimport sys\nsys.stdout.write({answers!r}[sys.argv[2]])\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)  # as if it were not installed


def test_the_wheels_makes_videos() -> None:
    found = find_ffmpeg()
    assert found.usable
    assert found.release >= (5, 1)
    assert Path(found.path).is_absolute()


@pytest.mark.parametrize(
    ("version", "release"),
    [
        ("5.1.9-0+deb12u1", (5, 1, 9)),
        ("n9.0.2-17-g2a571b6068-20260930", (9, 0, 2)),
        ("10.0", (10, 0)),
        ("N-118250-g8f3a", ()),
        ("git-2026-01-01", ()),
    ],
)
def test_versions_are_compared_as_releases(version: str, release: tuple[int, ...]) -> None:
    assert Ffmpeg("/ffmpeg", version).release == release


@pytest.mark.parametrize(("version", "is_taken"), [("99.0-1", True), ("4.4.2", False), ("N-118250-g8f3a", False)])
def test_the_systems_is_taken_if_it_is_newer(version: str, is_taken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = script(tmp_path, version)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (find_ffmpeg().path == str(path)) == is_taken


def test_the_systems_is_not_taken_if_it_cannot_make_every_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = script(tmp_path, "99.0", without=("libx264", "zscale"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert look_at(str(path)).missing == ("libx264", "zscale")
    assert find_ffmpeg().path != str(path)


@pytest.mark.usefixtures("no_wheel")
def test_the_systems_is_taken_without_a_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = script(tmp_path, "4.4.2")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_ffmpeg() == Ffmpeg(str(path), "4.4.2")


@pytest.mark.usefixtures("no_wheel")
def test_without_any_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"there is none: install one with pip install 's3tui\[video\]'"):
        find_ffmpeg()
    script(tmp_path, "4.4.2", without=("aac",))
    with pytest.raises(ConfigError, match="lacks aac: install one"):
        find_ffmpeg()


def test_the_chosen_one_is_taken_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = script(tmp_path / "old", "4.4.2")
    assert find_ffmpeg(str(old)).path == str(old)
    monkeypatch.chdir(tmp_path)
    assert find_ffmpeg("old/ffmpeg").path == str(old)
    poor = script(tmp_path / "poor", "99.0", without=("tonemap",))
    for chosen, complaint in (
        (str(poor), "lacks tonemap"),
        ("/gone/ffmpeg", "does not run"),
        (shutil.which("true"), "does not run"),
    ):
        with pytest.raises(ConfigError, match=complaint):
            find_ffmpeg(str(chosen))
