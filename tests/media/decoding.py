"""What ffmpeg makes of one segment on its own."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Decoded:
    """What ffmpeg made of one segment."""

    errors: str
    starts: dict[str, float] = field(default_factory=dict)
    """Of the first packet in seconds, by `video` and `audio`."""
    pictures: int = 0
    size: str = ""
    codec: str = ""
    """`avc1.…` by the bytes of the parameter set."""
    begins_with_idr: bool = False


def decode(ffmpeg: str, data: bytes, *, picture: bool, alone: bool) -> Decoded:
    """Decodes all, and looks at the packets and the raw picture stream beside. `alone`: there is no more than one picture."""
    done, stream = _run(ffmpeg, data, picture=picture, streams="0:v:0" if alone else "0")
    if picture and b"sample rate not set" in done.stderr:  # sound that is announced and not in this segment
        done, stream = _run(ffmpeg, data, picture=picture, streams="0:v:0")
    lines = done.stderr.decode(errors="replace").splitlines()
    errors = " ".join(line for line in lines if not (alone and line.endswith("partial file")))  # its moof lists more
    decoded = Decoded(errors or (f"exit code {done.returncode}" if done.returncode else ""))
    _read_packets(done.stdout.decode(), decoded)
    _read_picture(stream, decoded)
    return decoded


def _run(ffmpeg: str, data: bytes, *, picture: bool, streams: str) -> tuple[subprocess.CompletedProcess[bytes], bytes]:
    """Packets on standard output, complaints on standard error, and the raw picture stream."""
    with tempfile.TemporaryDirectory() as directory:
        raw = Path(directory, "raw.h264")
        command = [ffmpeg, "-v", "error", "-threads", "1", "-copyts", "-i", "pipe:0"]
        command += ["-map", streams, "-c", "copy", "-f", "framecrc", "pipe:1", "-map", streams, "-f", "null", "-"]
        if picture:
            command += ["-map", "0:v:0", "-c", "copy", "-bsf:v", "h264_mp4toannexb", "-f", "h264", str(raw)]
        done = subprocess.run(command, input=data, capture_output=True, check=False, timeout=60)
        return done, raw.read_bytes() if raw.exists() else b""


def _read_packets(listing: str, decoded: Decoded) -> None:
    """From ffmpeg's `framecrc`: heads such as `#tb 0: 1/12800`, then `stream, dts, pts, duration, size, checksum`."""
    heads = {(m[1], m[2]): m[3] for m in re.finditer(r"^#(\w+) (\d+): (\S+)", listing, re.MULTILINE)}
    for match in re.finditer(r"^(\d+), *-?\d+, *(-?\d+),", listing, re.MULTILINE):
        kind = heads["media_type", match[1]]
        numerator, denominator = heads["tb", match[1]].split("/")
        seconds = int(match[2]) * int(numerator) / int(denominator)
        decoded.starts[kind] = min(seconds, decoded.starts.get(kind, seconds))
        if kind == "video":
            decoded.size = heads["dimensions", match[1]]


def _read_picture(stream: bytes, decoded: Decoded) -> None:
    first = None
    for unit in _units(stream):
        kind = unit[0] & 31
        if kind == 7:
            decoded.codec = f"avc1.{unit[1:4].hex()}"
        elif kind in (1, 5) and unit[1] & 0x80:  # the first slice of a picture
            first = first or kind
            decoded.pictures += 1
    decoded.begins_with_idr = first == 5


def _units(stream: bytes) -> Iterator[bytes]:
    yield from (unit for unit in stream.split(b"\0\0\1")[1:] if len(unit) > 1)
