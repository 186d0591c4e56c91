"""Which ffmpeg makes videos: the one that was chosen, else the newer of the wheel's and the system's that can do it all."""

from __future__ import annotations

import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from pathlib import Path

from s3tui.errors import ConfigError
from s3tui.text import display_text

_ENCODERS = frozenset({"libx264", "aac", "webvtt", "mjpeg"})
_FILTERS = frozenset({"fps", "split", "scale", "setsar", "format", "bwdif", "zscale", "tonemap", "tile"})
_NAME = re.compile(r"^ [A-Z.|]{2,6} (\w+) ", re.MULTILINE)
"""Of an encoder or a filter, in the lists that ffmpeg prints."""
_VERSION = re.compile(r"^ffmpeg version (\S+)")
_NUMBERS = re.compile(r"n?(\d+(?:\.\d+)+)")
_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Ffmpeg:
    """An ffmpeg that was looked at."""

    path: str
    """Absolute."""
    version: str
    """As it says itself: `n9.0.2-17-g2a571b6068-20260930`; empty if it does not run."""
    missing: tuple[str, ...] = ()
    """Encoders and filters that videos need and it does not have."""

    @property
    def usable(self) -> bool:
        """Whether it makes every video."""
        return bool(self.version) and not self.missing

    @property
    def release(self) -> tuple[int, ...]:
        """`(9, 0, 2)`; empty for one built between releases."""
        numbers = _NUMBERS.match(self.version)
        return tuple(map(int, numbers[1].split("."))) if numbers else ()


def find_ffmpeg(chosen: str = "") -> Ffmpeg:
    """The ffmpeg to use; `chosen` is a path that people gave, or empty. Raises ConfigError."""
    if chosen:
        return _the_chosen(chosen)
    found = [look_at(path) for path in (_of_the_wheel(), shutil.which("ffmpeg")) if path]
    usable = [ffmpeg for ffmpeg in found if ffmpeg.usable]
    if usable:
        return max(usable, key=lambda ffmpeg: ffmpeg.release)
    step = "install one with pip install 's3tui[video]', or name another in video.ffmpeg."
    if not found:
        raise ConfigError(f"Videos need ffmpeg, and there is none: {step}")
    raise ConfigError(f"Videos need ffmpeg, and {_complaint(found[0])}: {step}")


def _the_chosen(path: str) -> Ffmpeg:
    ffmpeg = look_at(shutil.which(path) or path)
    if not ffmpeg.usable:
        raise ConfigError(f"Videos need ffmpeg, and {_complaint(ffmpeg)}: name another in video.ffmpeg, or none.")
    return ffmpeg


def _complaint(ffmpeg: Ffmpeg) -> str:
    shown = display_text(ffmpeg.path)
    return f"{shown} lacks {', '.join(ffmpeg.missing)}" if ffmpeg.version else f"{shown} does not run"


@cache
def look_at(path: str) -> Ffmpeg:
    """What the program at a path is and can do; looked at once."""
    with ThreadPoolExecutor(3) as pool:
        said, encoders, filters = pool.map(partial(_answer, path), ("-version", "-encoders", "-filters"))
    version = _VERSION.match(said)
    if version is None:
        return Ffmpeg(path, "")
    missing = (_ENCODERS - set(_NAME.findall(encoders))) | (_FILTERS - set(_NAME.findall(filters)))
    return Ffmpeg(str(Path(path).absolute()), version[1], tuple(sorted(missing)))


def _answer(path: str, question: str) -> str:
    try:
        asked = subprocess.run([path, "-hide_banner", question], stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.decode(errors="replace")


def _of_the_wheel() -> str:
    """Of `imageio-ffmpeg`, or empty."""
    try:
        return str(import_module("imageio_ffmpeg").get_ffmpeg_exe())
    except (ImportError, RuntimeError):  # it is not installed, or has no program for this machine
        return ""
