"""Tiny clips, made by ffmpeg itself and made once; and the nouns that describe them."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from s3tui.media import commands
from s3tui.media.plan import AudioRendition, Plan, Rung
from s3tui.media.source import Source, VideoStream

SECONDS = 1.2
PICTURE = ("-f", "lavfi", "-i", f"testsrc2=size=320x180:rate=25:duration={SECONDS}")
SOUND = ("-f", "lavfi", "-i", f"sine=sample_rate=48000:duration={SECONDS}")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "10", "-threads", "1")
BARS = (  # two scenes, hard cut between them
    *("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30000/1001:duration=0.7"),
    *("-f", "lavfi", "-i", "smptebars=size=320x180:rate=30000/1001:duration=0.5"),
)
DEEP = ("-c:v", "libx264", "-preset", "ultrafast", "-threads", "1")
TAGS = "format=yuv420p10le,setparams=color_trc=smpte2084"
FILM_SECONDS = 8.0
"""Of the clips that are played."""
FILM = (
    *("-f", "lavfi", "-i", f"testsrc2=size=320x180:rate=25:duration={FILM_SECONDS}"),
    *("-f", "lavfi", "-i", f"sine=sample_rate=48000:duration={FILM_SECONDS}"),
)
SUBTITLES = "1\n00:00:00,100 --> 00:00:00,900\nHello, <b>world</b>\n"

ARGUMENTS: dict[str, tuple[str, ...]] = {
    "plain.mp4": (*PICTURE, *SOUND, *H264, "-c:a", "aac"),
    "film.mp4": (*FILM, *H264, "-c:a", "aac"),
    "plain.ts": (*PICTURE, *SOUND, *H264, "-c:a", "aac"),
    "silent.mp4": (*PICTURE, *H264),
    "languages.mkv": (*PICTURE, *SOUND, *SOUND, "-map", "0", "-map", "1", "-map", "2", *H264, "-c:a", "libopus"),
    "cut.mp4": (*BARS, "-filter_complex", "[0:v][1:v]concat=n=2", *H264),
    "pq.mp4": (*PICTURE, "-vf", f"{TAGS}:color_primaries=bt2020:colorspace=bt2020nc", *DEEP),
    "pq_half_tagged.mp4": (*PICTURE, "-vf", TAGS, *DEEP),
    "interlaced.mp4": (*PICTURE, "-vf", "tinterlace=interleave_top,setfield=tff", *H264, "-flags", "+ildct+ilme"),
}


class Clips:
    """Makes each clip when it is asked for, once."""

    def __init__(self, ffmpeg: str, directory: Path) -> None:
        self._ffmpeg = ffmpeg
        self._directory = directory

    def __getitem__(self, name: str) -> Path:
        path = self._directory / name
        if not path.exists():
            self._make(*ARGUMENTS[name], str(path))
        return path

    def turned(self) -> Path:
        """`silent.mp4`, to be turned by the player as a phone's upright recording is."""
        path = self._directory / "turned.mp4"
        if not path.exists():
            self._make("-display_rotation", "90", "-i", str(self["silent.mp4"]), "-c", "copy", str(path))
        return path

    def subtitled(self) -> Path:
        """`silent.mp4` with one track of text."""
        path = self._directory / "subtitled.mkv"
        if not path.exists():
            text = self._directory / "text.srt"
            text.write_text(SUBTITLES)
            self._make("-i", str(self["silent.mp4"]), "-i", str(text), "-map", "0", "-map", "1", "-c", "copy", str(path))
        return path

    def spoken(self) -> Path:
        """`film.mp4` with sound in English and German, and German subtitles."""
        path = self._directory / "spoken.mkv"
        if not path.exists():
            text = self._directory / "spoken.srt"
            text.write_text(SUBTITLES)
            inputs = ("-i", str(self["film.mp4"]), "-f", "lavfi", "-i", f"sine=880:d={FILM_SECONDS}", "-i", str(text))
            languages = ("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu", "-metadata:s:s:0", "language=deu")
            streams = ("-map", "0:v", "-map", "0:a", "-map", "1:a", "-map", "2:s")
            self._make(*inputs, *streams, "-c:v", "copy", "-c:a", "aac", "-ac", "2", "-c:s", "srt", *languages, str(path))
        return path

    def _make(self, *arguments: str) -> None:
        subprocess.run([self._ffmpeg, "-nostdin", "-v", "error", "-y", *arguments], check=True, timeout=60)


def source_of(path: Path, **video: Any) -> Source:
    """What a probe would say of a clip; `video` overrides fields of its stream."""
    usual = VideoStream(0, "h264", "High", "yuv420p", "bt709", 320, 180, Fraction(1), 0, Fraction(25), False)
    return Source(os.fsencode(path), "mov", 1000, int(SECONDS * 1_000_000), replace(usual, **video))


def track(index: int = 1, *, name: str = "a0_und", copies: bool = False, default: bool = True) -> AudioRendition:
    """One rendition of sound."""
    return AudioRendition(name, index, "und", copies, 1, default)


def plan_of(**fields: Any) -> Plan:
    """Two rungs of short segments without sound, unless said otherwise."""
    rungs = (Rung("180p", 320, 180, 400_000), Rung("90p", 160, 90, 200_000))
    return replace(Plan("fmp4", False, Fraction(25), 10, False, False, "ultrafast", rungs, (), ()), **fields)


def make_directories(work: Path, plan: Plan) -> None:
    """Those that must be there before ffmpeg starts."""
    for name in plan.renditions:
        (work / name).mkdir(parents=True)


def listed(playlist: Path) -> tuple[list[float], list[str]]:
    """Durations and names of the segments in a finished playlist of ffmpeg."""
    text = playlist.read_text()
    assert text.rstrip().endswith("#EXT-X-ENDLIST")
    return [float(seconds) for seconds in re.findall(r"#EXTINF:([\d.]+)", text)], re.findall(r"^\d+\.\w+$", text, re.MULTILINE)


def joined(rendition: Path) -> Path:
    """All of a rendition in one file, as a player reads it."""
    whole = rendition.parent / f"{rendition.name}.whole"
    parts = [*sorted(rendition.glob("init*.mp4")), *sorted(rendition.glob("0*"))]
    whole.write_bytes(b"".join(part.read_bytes() for part in parts))
    return whole


def decoded(ffmpeg: str, path: Path) -> str:
    """What ffmpeg says of a file that it reads to the end; no complaint is allowed."""
    readings = (
        [ffmpeg, "-nostdin", "-hide_banner", "-v", level, "-i", str(path), "-f", "null", "-"] for level in ("error", "info")
    )
    errors, heard = (subprocess.run(command, capture_output=True, text=True, timeout=60) for command in readings)
    assert (heard.returncode, errors.stderr) == (0, "")
    return heard.stderr.partition("Stream mapping")[0]


def frames(ffmpeg: str, path: Path | str, *options: str) -> list[str]:
    """The checksums of all pictures in a file or at a URL, in order."""
    command = [ffmpeg, "-nostdin", "-v", "error", "-i", str(path), "-map", "0:v:0", *options, "-f", "framemd5", "-"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return [line.rpartition(" ")[2] for line in told.stdout.splitlines() if not line.startswith("#")]


def endless(ffmpeg: str, plan: Plan, *, speed: int = 1) -> list[str]:
    """The command for the plan, fed by pictures without end, so many times as fast as they would be filmed."""
    command = commands.hls(ffmpeg, source_of(Path("/nowhere")), plan, threads=1)
    start = command.index("-protocol_whitelist")
    pictures = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"]
    command[start : command.index("-i") + 2] = ["-readrate", str(speed), *pictures]
    return command
