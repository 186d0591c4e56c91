"""Real encodes of small generated clips, and how they are published: what the tests of playlists, gate and validator work on."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from s3tui.media.cipher import Cipher, encrypted_size
from s3tui.media.commands import hls
from s3tui.media.ffmpeg_playlist import Listing, read_listing
from s3tui.media.formats import SegmentFacts
from s3tui.media.gate import Encoded, prove
from s3tui.media.master import SubtitleRendition, master_playlist
from s3tui.media.plan import AudioRendition, Plan, Rung
from s3tui.media.playlists import Key, Rendition, key_frame_playlist, media_playlist, subtitle_playlist, target_duration
from s3tui.media.segments import Reader
from s3tui.media.served import INIT, KEY_FRAMES, MASTER, PLAYLIST, headers
from s3tui.media.source import Source, VideoStream
from tests.media.validator import Fetched

FPS = 25
SECONDS = Fraction(27, 10)
RUNGS = (Rung("180p", 320, 180, 400_000), Rung("90p", 160, 90, 150_000))
TRACKS = (
    AudioRendition("a0_en", 1, "en", copies=False, channels=2, default=True),
    AudioRendition("a1_de", 2, "de", copies=False, channels=2, default=False),
)


@dataclass(frozen=True)
class Encode:
    """An encode that ended well, and all that is known of it."""

    plan: Plan
    source: Source
    directory: Path
    encoded: Encoded

    @property
    def renditions(self) -> dict[str, Rendition]:
        """What the gate lets through."""
        return prove(self.plan, self.source, self.encoded)


class Encodes:
    """The encodes of one clip, each made once."""

    def __init__(self, ffmpeg: str, directory: Path) -> None:
        self._ffmpeg = ffmpeg
        self._directory = directory
        self._made: dict[tuple[str, int, bool], Encode] = {}

    def of(self, segment_type: str, tracks: int, *, remuxes: bool = False) -> Encode:
        """With segments of one second. Its files are shared: nobody changes them."""
        key = (segment_type, tracks, remuxes)
        if key not in self._made:
            clip = self._directory / "clip.mp4"
            if not clip.exists():
                make_clip(self._ffmpeg, clip)
            plan = plan_for(segment_type, tracks, remuxes=remuxes)
            self._made[key] = encode(self._ffmpeg, clip, plan, self._directory / f"{segment_type}-{tracks}-{remuxes}")
        return self._made[key]


def make_clip(ffmpeg: str, path: Path) -> None:
    """A clip with two sound tracks, and a key frame each second."""
    _run(
        *(ffmpeg, "-v", "error", "-f", "lavfi", "-i", f"testsrc2=s=320x180:r={FPS}:d={float(SECONDS)}"),
        *("-f", "lavfi", "-i", f"sine=440:d={float(SECONDS)}", "-f", "lavfi", "-i", f"sine=880:d={float(SECONDS)}"),
        *(
            "-map",
            "0:v",
            "-map",
            "1:a",
            "-map",
            "2:a",
            "-c:v",
            "libx264",
            "-threads",
            "1",
            "-preset",
            "veryfast",
            "-pix_fmt",
            "yuv420p",
        ),
        *("-g", str(FPS), "-sc_threshold", "0", "-flags", "+cgop", "-c:a", "aac", "-ac", "2", "-ar", "48000", str(path)),
    )


def plan_for(segment_type: str, tracks: int, *, remuxes: bool = False) -> Plan:
    """Segments of one second."""
    return Plan(
        segment_type=segment_type,
        remuxes=remuxes,
        fps=Fraction(FPS),
        gop=FPS,
        deinterlaces=False,
        tone_maps=False,
        preset="veryfast",
        rungs=RUNGS[:1] if remuxes else RUNGS,
        audio=TRACKS[:tracks],
        subtitles=(),
    )


def encode(ffmpeg: str, clip: Path, plan: Plan, directory: Path) -> Encode:
    """Runs ffmpeg as the plan says."""
    for name in plan.renditions:
        (directory / name).mkdir(parents=True)
    source = _source(clip)
    _run(*hls(ffmpeg, source, plan, threads=1), cwd=directory)
    return Encode(plan, source, directory, look(plan, directory))


def look(plan: Plan, directory: Path) -> Encoded:
    """All facts about the files of an encode, as if S3 had confirmed each."""
    listings: dict[str, Listing] = {}
    segments: dict[str, SegmentFacts] = {}
    stored: dict[str, int] = {}
    formats = {}
    for name in plan.renditions:
        listings[name] = listing = read_listing((directory / name / PLAYLIST).read_text())
        reader = Reader(directory / name / listing.init if listing.init else None)
        for segment in listing.segments:
            facts = segments[f"{name}/{segment.name}"] = reader.read(directory / name / segment.name)
            stored[f"{name}/{segment.name}"] = facts.size
        if listing.init:
            stored[f"{name}/{INIT}"] = (directory / name / listing.init).stat().st_size
        assert reader.formats is not None
        formats[name] = reader.formats
    return Encoded(0, True, listings, formats, segments, stored)


def encrypted(encode: Encode, cipher: Cipher, directory: Path) -> Encode:
    """The same encode in another directory, with every segment encrypted."""
    shutil.copytree(encode.directory, directory)
    for name in encode.encoded.segments:
        cipher.encrypt(directory / name)
    sizes = {name: (directory / name).stat().st_size for name in encode.encoded.segments}
    segments = {name: replace(facts, size=encrypted_size(facts.size)) for name, facts in encode.encoded.segments.items()}
    return replaced(replace(encode, directory=directory), segments=segments, stored={**encode.encoded.stored, **sizes})


def publish(encode: Encode, subtitles: Mapping[str, str] | None = None, key: Key | None = None) -> dict[str, Fetched]:
    """What would lie in the bucket, by key; `subtitles` are WebVTT files by language, `key` is that of segments."""
    renditions = encode.renditions
    target = target_duration(renditions.values())
    objects: dict[str, bytes] = {}
    for name, rendition in renditions.items():
        for segment in rendition.segments:
            objects[f"{name}/{segment.name}"] = (encode.directory / name / segment.name).read_bytes()
        if init := encode.encoded.listings[name].init:
            objects[f"{name}/{INIT}"] = (encode.directory / name / init).read_bytes()
        objects[f"{name}/{PLAYLIST}"] = media_playlist(rendition, target, key).encode()
        if rendition.formats.video and rendition.has_key_frames:
            objects[f"{name}/{KEY_FRAMES}"] = key_frame_playlist(rendition, target, key).encode()
    tracks = []
    for language, cues in (subtitles or {}).items():
        tracks.append(SubtitleRendition(f"s_{language}", language))
        objects[f"s_{language}/subtitles.vtt"] = cues.encode()
        objects[f"s_{language}/{PLAYLIST}"] = subtitle_playlist("subtitles.vtt", encode.source.duration_us).encode()
    objects[MASTER] = master_playlist(encode.plan, renditions, tracks).encode()
    return {key: Fetched(body, headers(key).content_type, headers(key).cache_control) for key, body in objects.items()}


def replaced(encode: Encode, **changes: object) -> Encode:
    """The encode with other facts about it."""
    return replace(encode, encoded=replace(encode.encoded, **changes))  # type: ignore[arg-type]


def _source(clip: Path) -> Source:
    picture = VideoStream(0, "h264", "High", "yuv420p", "", 320, 180, Fraction(1), 0, Fraction(FPS), interlaced=False)
    return Source(bytes(clip), "mov", clip.stat().st_size, int(SECONDS * 1_000_000), picture)


def _run(*command: str, cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
