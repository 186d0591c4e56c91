"""Files of each kind that people hand in, made by ffmpeg when they are asked for, each once. All but a few are a second long."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

_PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=1")
_SOUND = ("-f", "lavfi", "-i", "sine=duration=1")
_H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-threads", "1")
_TITLE = "evil\n  Stream #0:9: Video: h264, yuv420p, 640x360, 25 fps"
_KEY = "76a6c65c5ea762046bd749a2e632ccbb"
_SUBTITLE = "1\n00:00:00,100 --> 00:00:00,900\nHello\n"


def _picture(size: str, rate: str = "25", seconds: float = 1) -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}")


_MADE: dict[str, tuple[str, ...]] = {
    "plain.mp4": (*_PICTURE, *_SOUND, *_H264, "-c:a", "aac", "-ac", "2"),
    "silent.mp4": (*_PICTURE, *_H264),
    "plain.flv": (*_picture("160x90", seconds=2), *_H264),
    "anamorphic.mkv": (*_PICTURE, *_H264, "-vf", "setsar=4/3"),
    "portrait.mp4": (*_picture("90x160"), *_H264),
    "ntsc.mp4": (*_picture("160x90", "24000/1001"), *_H264),
    "fast.mp4": (*_picture("160x90", "120", 0.5), *_H264),
    "odd.mkv": (*_PICTURE, "-vf", "scale=161:91,format=yuv444p", "-c:v", "ffv1"),
    "tiny.mkv": (*_picture("12x90"), "-c:v", "ffv1"),
    "variable.mp4": (*_PICTURE, *_H264, "-vf", "select='not(mod(n,3))+lt(n,6)'", "-fps_mode", "vfr"),
    "gaps.mp4": (*_picture("160x90", seconds=1.6), "-f", "lavfi", "-i", "sine=duration=2.5", *_H264, "-g", "15", "-c:a", "aac"),
    "gaps.ts": (*_picture("160x90", seconds=1.6), *_H264, "-bf", "2", "-g", "15"),
    "interlaced.ts": (*_picture("160x96"), "-vf", "setfield=tff", *_H264, "-flags", "+ilme+ildct"),
    "hdr.mp4": (
        *_PICTURE,
        *("-vf", "format=yuv420p10le,setparams=color_trc=smpte2084:color_primaries=bt2020:colorspace=bt2020nc"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-threads", "1"),
    ),
    "tracks.mkv": (
        *(*_PICTURE, *_SOUND, *_SOUND, "-map", "0", "-map", "1", "-map", "2", *_H264),
        *("-c:a:0", "aac", "-c:a:1", "ac3", "-ac:a:1", "6", "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu"),
    ),
    "hostile.mkv": (*_PICTURE, *_H264, "-metadata", f"title={_TITLE}", "-metadata:s:v:0", "language=../x y"),
    "far.mkv": (*_picture("160x90", "1/100000", 300_000), *_H264),
    "image.png": (*_PICTURE, "-frames:v", "1", "-update", "1"),
    "image.jpg": (*_PICTURE, "-frames:v", "1", "-update", "1"),
    "image.gif": (*_picture("64x36"), "-c:v", "gif"),
    "sound.wav": (*_SOUND,),
    "sound.mp3": (*_SOUND,),
}
_COPIED: dict[str, tuple[str, tuple[str, ...]]] = {
    "plain.mkv": ("plain.mp4", ()),
    "plain.ts": ("plain.mp4", ()),
    "early_index.mp4": ("plain.mp4", ("-movflags", "faststart")),
    "encrypted.mp4": (
        "plain.mp4",
        ("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", _KEY, "-encryption_kid", _KEY),
    ),
}
_CUT = {
    "cut.mp4": "plain.mp4",
    "cut_early_index.mp4": "early_index.mp4",
    "cut.mkv": "plain.mkv",
    "cut.flv": "plain.flv",
    "cut.ts": "plain.ts",
}
_WRITTEN = {
    "empty.mp4": b"",
    "text.mp4": b"hello\n" * 100,
    "zeros.mp4": bytes(4096),
    "playlist.mp4": b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:4,\ngaps.ts\n#EXT-X-ENDLIST\n",
    "playlist.m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:4,\ngaps.ts\n#EXT-X-ENDLIST\n",
    "concat.mp4": b"ffconcat version 1.0\nfile plain.mp4\n",
}


class Inputs:
    """Looks a file up by its name, or makes it."""

    def __init__(self, ffmpeg: str, directory: Path) -> None:
        self._ffmpeg = ffmpeg
        self._directory = directory
        self._special: dict[str, Callable[[Path], object]] = {
            "rotated.mp4": lambda path: self._run("-display_rotation", "-90", "-i", self["plain.mp4"], "-c", "copy", path),
            "live.mkv": self._live,
            "subtitles.mkv": self._subtitled,
            "cover.m4a": self._covered,
        }

    def __getitem__(self, name: str) -> Path:
        path = self._directory / name
        if not path.exists():
            self._make(name, path)
        return path

    def _make(self, name: str, path: Path) -> None:
        if name in _MADE:
            self._run(*_MADE[name], path)
        elif name in _COPIED:
            original, options = _COPIED[name]
            self._run("-i", self[original], "-c", "copy", *options, path)
        elif name in _CUT:
            whole = self[_CUT[name]].read_bytes()
            path.write_bytes(whole[: len(whole) // 2])
        elif name in _WRITTEN:
            path.write_bytes(_WRITTEN[name])
        else:
            self._special[name](path)

    def _live(self, path: Path) -> None:
        """As browsers record: the header does not know how long it will be."""
        path.write_bytes(self._run("-i", self["plain.mp4"], "-c", "copy", "-f", "matroska", "pipe:1"))

    def _subtitled(self, path: Path) -> None:
        text = self._directory / "text.srt"
        text.write_text(_SUBTITLE)
        self._run("-i", self["plain.mp4"], "-i", text, "-map", "0", "-map", "1", "-c", "copy", path)

    def _covered(self, path: Path) -> None:
        cover = ("-c:v", "copy", "-disposition:v:0", "attached_pic")
        self._run(*_SOUND, "-i", self["image.png"], "-map", "0", "-map", "1", "-c:a", "aac", *cover, path)

    def _run(self, *words: str | Path) -> bytes:
        command = [self._ffmpeg, "-nostdin", "-v", "error", "-y", *map(str, words)]
        return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
