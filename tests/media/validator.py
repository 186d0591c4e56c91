"""Is this a good HLS video? An opinion that shares no code with the program: own parsing, and each segment decoded on its own.

`Validator(fetch, ffmpeg).faults("video/master.m3u8")` fetches all that the master leads to, and answers with sentences.
None is good. With `keys`, all pictures and all sound must be encrypted with one of them, and without them nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath
from urllib.parse import unquote

from tests.media.decoding import Decoded, decode
from tests.media.decrypting import part, whole

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(?:,|$)')
_TYPES = {
    ".m3u8": ("application/vnd.apple.mpegurl", False),
    ".m4s": ("video/iso.segment", True),
    ".mp4": ("video/mp4", True),
    ".ts": ("video/mp2t", True),
    ".vtt": ("text/vtt", True),
    ".jpg": ("image/jpeg", True),
}
"""Content type, and whether it may be kept for ever."""
_AUDIO_FRAMES = 0.05
"""Two frames of AAC, in seconds."""
_RATE_ERROR = 0.1
"""Apple's limit: rates are right within a tenth."""


@dataclass(frozen=True)
class Fetched:
    """An object, with what the store says about it."""

    body: bytes
    content_type: str
    cache_control: str


Fetch = Callable[[str], Fetched]
"""By key; raises KeyError if there is no such object."""


@dataclass(frozen=True)
class Entry:
    """One segment or range of a playlist."""

    key: str
    seconds: float
    span: tuple[int, int] | None = None
    """Length and offset."""


@dataclass(frozen=True)
class Playlist:
    """A media playlist."""

    key: str
    tags: dict[str, str]
    init: str | None
    entries: list[Entry]
    encryption: dict[str, str] | None = None
    """Attributes of what says how its segments are encrypted."""

    @property
    def seconds(self) -> float:
        """Of all its entries."""
        return sum(entry.seconds for entry in self.entries)


class Validator:
    """Collects the faults of one video. `seconds`: how long the source is, if nothing of it may be missing; `keys` by address."""

    def __init__(self, fetch: Fetch, ffmpeg: str, seconds: float | None = None, keys: Mapping[str, bytes] | None = None) -> None:
        self._fetch = fetch
        self._ffmpeg = ffmpeg
        self._seconds = seconds
        self._keys = keys or {}
        self._faults: list[str] = []
        self._sizes: dict[str, int] = {}
        self._heard: set[str] = set()
        """Keys of playlists with sound in their segments."""
        self._variants: list[tuple[dict[str, str], Playlist]] = []
        self._codecs: dict[str, str] = {}

    def faults(self, master: str) -> list[str]:
        """What is wrong, in sentences."""
        lines = self._playlist_lines(master)
        media = [_attributes(line) for line in lines if line.startswith("#EXT-X-MEDIA:")]
        self._check_master(master, lines)
        self._check_media(media)
        groups: dict[str, list[Playlist]] = {}
        for attributes in media:
            playlist = self._playlist(_beside(master, attributes.get("URI", "")))
            if attributes["TYPE"] == "SUBTITLES":
                self._check_subtitles(playlist)
            else:
                self._check_sound(playlist)
                groups.setdefault(attributes["GROUP-ID"], []).append(playlist)
        for line, address in pairwise(lines):
            if line.startswith("#EXT-X-STREAM-INF:"):
                self._check_variant(_attributes(line), self._playlist(_beside(master, address)), groups)
        for line in lines:
            if line.startswith("#EXT-X-I-FRAME-STREAM-INF:"):
                attributes = _attributes(line)
                self._check_key_frames(attributes, self._playlist(_beside(master, attributes.get("URI", ""))))
        self._check_together([playlist for _, playlist in self._variants], [one for group in groups.values() for one in group])
        return self._faults

    def _check_master(self, key: str, lines: list[str]) -> None:
        self._demand("#EXT-X-INDEPENDENT-SEGMENTS" in lines, f"{key} does not promise independent segments")
        self._demand(any(line.startswith("#EXT-X-STREAM-INF:") for line in lines), f"{key} has no variant")
        for line in lines:
            if line.startswith(("#EXT-X-MEDIA:", "#EXT-X-STREAM-INF:", "#EXT-X-I-FRAME-STREAM-INF:")):
                listed = line.partition(":")[2]
                self._demand("".join(m[0] for m in _ATTRIBUTE.finditer(listed)) == listed, f"{key} has a malformed line: {line}")

    def _check_media(self, media: list[dict[str, str]]) -> None:
        names = [(attributes.get("GROUP-ID"), attributes.get("NAME")) for attributes in media]
        self._demand(len(set(names)) == len(names), "two renditions of a group have one name")
        for attributes in media:
            wanted = {"TYPE", "GROUP-ID", "NAME", "LANGUAGE", "DEFAULT", "AUTOSELECT", "URI"}
            wanted |= {"CHANNELS"} if attributes.get("TYPE") == "AUDIO" else set()
            self._demand(
                wanted <= attributes.keys(), f"rendition {attributes.get('NAME')} lacks {sorted(wanted - attributes.keys())}"
            )
        sound = [attributes.get("DEFAULT") for attributes in media if attributes.get("TYPE") == "AUDIO"]
        self._demand(not sound or sound.count("YES") == 1, f"{sound.count('YES')} sound tracks are the default")

    def _check_subtitles(self, playlist: Playlist) -> None:
        for entry in playlist.entries:
            self._demand(self._get(entry.key).startswith(b"WEBVTT"), f"{entry.key} is no WebVTT")

    def _check_sound(self, playlist: Playlist) -> None:
        self._heard.add(playlist.key)
        decoded = [self._decode(playlist, entry, picture=False) for entry in playlist.entries]
        self._check_continuous(playlist, decoded, "audio", _AUDIO_FRAMES)

    def _check_variant(self, attributes: dict[str, str], playlist: Playlist, groups: dict[str, list[Playlist]]) -> None:
        self._variants.append((attributes, playlist))
        sound = groups.get(attributes.get("AUDIO", ""), [])
        self._demand("AUDIO" not in attributes or bool(sound), f"{playlist.key} names a group of sound that is not there")
        self._demand(re.fullmatch(r"\d+\.\d{3}", attributes.get("FRAME-RATE", "")) is not None, f"{playlist.key} has no FRAME-RATE")
        decoded = [self._decode(playlist, entry, picture=True) for entry in playlist.entries]
        frame = 1 / float(attributes.get("FRAME-RATE", "25"))
        self._check_continuous(playlist, decoded, "video", frame + 0.001)
        for entry, found in zip(playlist.entries, decoded, strict=True):
            self._demand(found.begins_with_idr, f"{entry.key} does not begin with an IDR picture")
            self._demand(
                found.size == attributes.get("RESOLUTION"), f"{entry.key} is {found.size}, not {attributes.get('RESOLUTION')}"
            )
            lasts = found.pictures * frame
            self._demand(
                abs(lasts - entry.seconds) <= frame * 1.01, f"{entry.key} lasts {lasts:.3f} s and not {entry.seconds:.3f} s"
            )
        if any("audio" in found.starts for found in decoded):
            self._heard.add(playlist.key)
        self._check_codecs(attributes, playlist, decoded, bool(sound))
        self._check_rates(attributes, playlist, sound)
        if self._seconds is not None:
            missing = self._seconds - playlist.seconds
            fault = f"{playlist.key} lasts {playlist.seconds:.2f} s, its source {self._seconds:.2f} s"
            self._demand(missing <= max(0.1, 4 * frame), fault)

    def _check_codecs(self, attributes: dict[str, str], playlist: Playlist, decoded: list[Decoded], grouped: bool) -> None:
        found = {segment.codec for segment in decoded}
        self._codecs[playlist.key] = next(iter(found), "")
        found |= {"mp4a.40.2"} if grouped or playlist.key in self._heard else set()
        named = set(attributes.get("CODECS", "").split(","))
        self._demand(named == found, f"{playlist.key} is announced as {sorted(named)} and is {sorted(found)}")

    def _check_rates(self, attributes: dict[str, str], playlist: Playlist, sound: list[Playlist]) -> None:
        peak = self._peak(playlist) + max((self._peak(track) for track in sound), default=0)
        average = self._average(playlist) + max((self._average(track) for track in sound), default=0)
        for name, measured in (("BANDWIDTH", peak), ("AVERAGE-BANDWIDTH", average)):
            stated = int(attributes.get(name, "0"))
            right = abs(stated - measured) <= _RATE_ERROR * measured
            self._demand(right, f"{playlist.key} states {name} {stated}, and {measured:.0f} was measured")

    def _check_key_frames(self, attributes: dict[str, str], playlist: Playlist) -> None:
        self._demand("#EXT-X-I-FRAMES-ONLY" in playlist.tags, f"{playlist.key} does not say that it has key frames only")
        rates = [8 * (entry.span or (0, 0))[0] / max(entry.seconds, 1e-6) for entry in playlist.entries]
        self._demand(
            int(attributes.get("BANDWIDTH", "0")) <= max(rates, default=0) * 1.1, f"{playlist.key} states a wrong BANDWIDTH"
        )
        for entry in playlist.entries:
            found = self._decode(playlist, entry, picture=True)
            alone = found.begins_with_idr and found.pictures == 1
            self._demand(alone, f"a range of {entry.key} is not one key frame but {found.pictures} pictures")
            self._demand(found.codec == attributes.get("CODECS"), f"{playlist.key} is announced as {attributes.get('CODECS')}")
        together = any(
            [entry.seconds for entry in playlist.entries] == [e.seconds for e in one.entries] for _, one in self._variants
        )
        self._demand(together, f"{playlist.key} is not as long as its variant")

    def _check_continuous(self, playlist: Playlist, decoded: list[Decoded], kind: str, tolerance: float) -> None:
        begins = None
        for entry, found in zip(playlist.entries, decoded, strict=True):
            start = found.starts.get(kind)
            if start is None:
                self._demand(False, f"{entry.key} has no {kind}")
                continue
            gap = 0.0 if begins is None else start - begins
            self._demand(abs(gap) <= tolerance, f"{entry.key} begins {gap:+.3f} s from where the one before it ends")
            begins = start + entry.seconds

    def _check_together(self, pictures: list[Playlist], sound: list[Playlist]) -> None:
        targets = {playlist.tags.get("#EXT-X-TARGETDURATION") for playlist in pictures + sound}
        self._demand(len(targets) <= 1, f"there are several target durations: {sorted(map(str, targets))}")
        for playlist in pictures[1:]:
            same = [entry.seconds for entry in playlist.entries] == [entry.seconds for entry in pictures[0].entries]
            self._demand(same, f"{playlist.key} is not cut where {pictures[0].key} is")

    def _playlist(self, key: str) -> Playlist:
        tags: dict[str, str] = {}
        init, seconds, span, encryption = None, None, None, None
        entries: list[Entry] = []
        for line in self._playlist_lines(key):
            tag, _, value = line.partition(":")
            if tag == "#EXTINF":
                seconds = float(value.split(",")[0])
            elif tag == "#EXT-X-BYTERANGE":
                length, _, offset = value.partition("@")
                span = (int(length), int(offset))
            elif tag == "#EXT-X-MAP":
                init = _beside(key, _attributes(line)["URI"])
            elif tag == "#EXT-X-KEY":
                self._demand(not entries and encryption is None, f"{key} changes its key on the way")
                encryption = _attributes(line)
            elif line.startswith("#"):
                tags[tag] = value
            elif line:
                self._demand(seconds is not None, f"{key} lists {line} without a duration")
                entries.append(Entry(_beside(key, line), seconds or 0.0, span))
                seconds = span = None
        self._check_tags(key, tags, entries, init)
        return Playlist(key, tags, init, entries, encryption)

    def _check_tags(self, key: str, tags: dict[str, str], entries: list[Entry], init: str | None) -> None:
        self._demand("#EXT-X-ENDLIST" in tags, f"{key} does not end")
        self._demand(tags.get("#EXT-X-PLAYLIST-TYPE") == "VOD", f"{key} is not of type VOD")
        self._demand(bool(entries), f"{key} lists nothing")
        self._demand(int(tags.get("#EXT-X-VERSION", "0")) >= (7 if init else 6), f"{key} has too low a version")
        longest = max((math.floor(entry.seconds + 0.5) for entry in entries), default=0)
        self._demand(int(tags.get("#EXT-X-TARGETDURATION", "0")) >= longest, f"{key} has segments longer than its target duration")

    def _playlist_lines(self, key: str) -> list[str]:
        lines = self._get(key).decode("utf-8").split("\n")
        self._demand(lines[0] == "#EXTM3U", f"{key} does not begin with #EXTM3U")
        return [line for line in lines if line]

    def _get(self, key: str) -> bytes:
        try:
            fetched = self._fetch(key)
        except KeyError:
            self._faults.append(f"{key} is not there")
            return b""
        kind, for_ever = _TYPES.get(PurePosixPath(key).suffix, ("", False))
        self._demand(fetched.content_type == kind, f"{key} is served as {fetched.content_type}")
        self._demand(("immutable" in fetched.cache_control) == for_ever, f"{key} is cached as {fetched.cache_control!r}")
        self._sizes[key] = len(fetched.body)
        return fetched.body

    def _decode(self, playlist: Playlist, entry: Entry, *, picture: bool) -> Decoded:
        body = self._plain(playlist, entry, self._get(entry.key))
        init = self._get(playlist.init) if playlist.init else b""
        decoded = decode(self._ffmpeg, init + body, picture=picture, alone=entry.span is not None)
        self._demand(not decoded.errors, f"{entry.key} does not decode: {decoded.errors[:200]}")
        return decoded

    def _plain(self, playlist: Playlist, entry: Entry, body: bytes) -> bytes:
        """What a player makes of the bytes of a segment, or of a range of it, before it decodes them."""
        length, offset = entry.span or (len(body), 0)
        said = playlist.encryption
        self._demand((said is not None) == bool(self._keys), f"{playlist.key} {'has a' if said else 'lacks its'} key")
        if said is None:
            return body[offset : offset + length]
        self._demand(said.get("METHOD") == "AES-128", f"{playlist.key} is encrypted by {said.get('METHOD')}")
        self._demand(re.fullmatch(r"0x[0-9a-f]{32}", said.get("IV", "")) is not None, f"{playlist.key} has no vector")
        key = self._keys.get(said.get("URI", ""), bytes(16))
        try:
            vector = bytes.fromhex(said["IV"][2:])
            plain = whole(body, key, vector) if entry.span is None else part(body, key, offset, length)
        except ValueError as error:
            self._demand(False, f"{entry.key} cannot be decrypted: {error}")
            return b""
        self._demand(plain.startswith(b"G"), f"{entry.key} does not begin with a packet of MPEG-TS")
        return plain

    def _peak(self, playlist: Playlist) -> float:
        target = float(playlist.tags.get("#EXT-X-TARGETDURATION", "1"))
        peak = self._average(playlist)
        for first in range(len(playlist.entries)):
            for last in range(first + 1, len(playlist.entries) + 1):
                run = playlist.entries[first:last]
                if 0.5 * target <= sum(entry.seconds for entry in run) <= 1.5 * target:
                    peak = max(peak, self._rate(run))
        return peak

    def _average(self, playlist: Playlist) -> float:
        return self._rate(playlist.entries)

    def _rate(self, run: list[Entry]) -> float:
        return 8 * sum(self._sizes.get(entry.key, 0) for entry in run) / max(1e-6, sum(entry.seconds for entry in run))

    def _demand(self, holds: bool, fault: str) -> None:
        if not holds:
            self._faults.append(fault)


def _attributes(line: str) -> dict[str, str]:
    return {match[1]: match[2].strip('"') for match in _ATTRIBUTE.finditer(line.partition(":")[2])}


def _beside(key: str, address: str) -> str:
    return str(PurePosixPath(key).parent / unquote(address))
