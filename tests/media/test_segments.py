"""What the bytes of segments say, and what is said of bytes that say nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from s3tui.errors import TranscodeError
from s3tui.media import boxes, packets
from s3tui.media.formats import AudioFormat, Formats, SegmentFacts
from s3tui.media.plan import Rung
from s3tui.media.segments import Reader
from tests.media.encodes import RUNGS, Encode, Encodes

STEREO = AudioFormat(object_type=2, channels=2, sample_rate=48000)

lightly = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _reader(encode: Encode, name: str) -> Reader:
    init = encode.encoded.listings[name].init
    return Reader(encode.directory / name / init if init else None)


def _paths(encode: Encode, name: str) -> list[Path]:
    return [encode.directory / name / segment.name for segment in encode.encoded.listings[name].segments]


@pytest.mark.parametrize("segment_type", ["fmp4", "ts"])
@pytest.mark.parametrize("rung", RUNGS, ids=lambda rung: rung.name)
def test_the_formats_of_a_rung_are_those_of_its_encoder(encodes: Encodes, segment_type: str, rung: Rung) -> None:
    formats = encodes.of(segment_type, tracks=2).encoded.formats[rung.name]
    assert formats.video is not None
    assert (formats.video.width, formats.video.height) == (rung.width, rung.height)
    assert formats.video.is_eight_bit
    assert formats.video.codec.startswith("avc1.64000")
    assert formats.audio is None


@pytest.mark.parametrize("segment_type", ["fmp4", "ts"])
def test_a_sound_track_of_its_own_has_no_picture(encodes: Encodes, segment_type: str) -> None:
    encode = encodes.of(segment_type, tracks=2)
    assert encode.encoded.formats["a1_de"] == Formats(None, STEREO)
    assert STEREO.codec == "mp4a.40.2"
    assert all(encode.encoded.segments[f"a1_de/{path.name}"].key_frame is None for path in _paths(encode, "a1_de"))


@pytest.mark.parametrize("segment_type", ["fmp4", "ts"])
def test_sound_inside_of_the_segments_is_seen(encodes: Encodes, segment_type: str) -> None:
    assert encodes.of(segment_type, tracks=1, remuxes=True).encoded.formats["180p"].audio == STEREO


@pytest.mark.parametrize("segment_type", ["fmp4", "ts"])
def test_segments_begin_one_after_the_other_with_a_key_frame(encodes: Encodes, segment_type: str) -> None:
    encode = encodes.of(segment_type, tracks=2)
    facts = [encode.encoded.segments[f"90p/{path.name}"] for path in _paths(encode, "90p")]
    assert [fact.start - facts[0].start for fact in facts] == [Fraction(0), Fraction(1), Fraction(2)]
    for path, fact in zip(_paths(encode, "90p"), facts, strict=True):
        assert fact.size == path.stat().st_size
        assert fact.key_frame is not None
        assert 0 < fact.key_frame.length < fact.size


def test_a_picture_that_needs_others_is_no_key_frame(fmp4: Encode, ts: Encode) -> None:
    segment = _paths(fmp4, "180p")[1].read_bytes()
    at = segment.index(b"\x65\x88")  # an IDR slice of the first macroblock
    assert _fragment(fmp4, segment).key_frame is not None
    assert _fragment(fmp4, segment[:at] + b"\x41" + segment[at + 1 :]).key_frame is None
    stream = _paths(ts, "180p")[0].read_bytes()
    at = stream.index(b"\0\0\1\x65") + 3
    assert packets.read_segment(BytesIO(stream))[1].key_frame is not None
    assert packets.read_segment(BytesIO(stream[:at] + b"\x41" + stream[at + 1 :]))[1].key_frame is None


def test_a_picture_without_parameters_leaves_the_format_as_it_is_known(ts: Encode, tmp_path: Path) -> None:
    stream = _paths(ts, "180p")[0].read_bytes()
    bare = tmp_path / "00002.ts"
    bare.write_bytes(stream.replace(b"\0\0\1\x67", b"\0\0\1\x69"))
    reader = _reader(ts, "180p")
    reader.read(bare)
    assert reader.formats == Formats(None, STEREO)
    reader.read(_paths(ts, "180p")[0])
    reader.read(bare)
    assert reader.formats == ts.encoded.formats["180p"]


def test_a_long_segment_is_read_at_its_head_only(fmp4: Encode, ts: Encode) -> None:
    segment = _paths(fmp4, "180p")[0].read_bytes()
    counted = _Counting(segment + (1 << 20).to_bytes(4, "big") + b"free" + bytes((1 << 20) - 8))
    boxes.read_segment(counted, boxes.read_init(BytesIO(_init(fmp4))))
    assert counted.bytes_read < 4096
    stream = _paths(ts, "180p")[0].read_bytes()
    counted = _Counting(stream * 50)
    packets.read_segment(counted)
    assert counted.bytes_read < len(stream)


def test_a_segment_that_ends_within_its_first_picture_is_incomplete(fmp4: Encode) -> None:
    segment = _paths(fmp4, "180p")[0].read_bytes()
    head = segment.index(b"mdat") + 4
    shortened = segment[: head - 8] + (108).to_bytes(4, "big") + b"mdat" + segment[head : head + 100]
    with pytest.raises(TranscodeError, match="ends within its first picture") as caught:
        _fragment(fmp4, shortened)
    assert caught.value.reason == "incomplete"


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 100, b"\0\0\0\x08free", b"\0\0\0\x01moov" + b"\xff" * 8, b"\0\0\0\x10moof\0\0\0\0traf"]
)
def test_what_is_no_mp4_is_refused(fmp4: Encode, data: bytes) -> None:
    for read in (boxes.read_init, lambda file: boxes.read_segment(file, boxes.read_init(BytesIO(_init(fmp4))))):
        with pytest.raises(TranscodeError) as caught:
            read(BytesIO(data))
        assert caught.value.reason == "incomplete"


def test_a_description_that_is_too_large_is_not_read() -> None:
    with pytest.raises(TranscodeError, match="a description of"):
        boxes.read_init(BytesIO((9 << 20).to_bytes(4, "big") + b"moov" + bytes((9 << 20) - 8)))


@lightly
@given(st.binary(max_size=2000))
def test_random_bytes_are_refused_and_never_crash(data: bytes) -> None:
    for read in (boxes.read_init, packets.read_segment):
        with pytest.raises(TranscodeError):
            read(BytesIO(data))


@lightly
@given(changes=st.lists(st.tuples(st.integers(0, 900), st.integers(0, 255)), min_size=1, max_size=8), cut=st.integers(0, 3000))
def test_damaged_files_are_read_or_refused_and_never_crash(
    fmp4: Encode, ts: Encode, changes: list[tuple[int, int]], cut: int
) -> None:
    init = boxes.read_init(BytesIO(_init(fmp4)))
    sound = boxes.read_init(BytesIO(_init(fmp4, "a0_en")))
    readers: list[tuple[bytes, Callable[[BytesIO], object]]] = [
        (_init(fmp4), boxes.read_init),
        (_init(fmp4, "a0_en"), boxes.read_init),
        (_paths(fmp4, "180p")[0].read_bytes(), lambda file: boxes.read_segment(file, init)),
        (_paths(fmp4, "a0_en")[0].read_bytes(), lambda file: boxes.read_segment(file, sound)),
        (_paths(ts, "180p")[0].read_bytes(), packets.read_segment),
    ]
    for data, read in readers:
        damaged = bytearray(data)
        for at, value in changes:
            damaged[at % len(damaged)] = value
        for variant in (bytes(damaged), bytes(damaged[:cut])):
            with suppress(TranscodeError):
                read(BytesIO(variant))


def test_a_format_that_changes_within_a_rendition_is_noticed(ts: Encode) -> None:
    reader = _reader(ts, "180p")
    reader.read(_paths(ts, "180p")[0])
    with pytest.raises(TranscodeError, match="changed the format of its picture"):
        reader.read(_paths(ts, "90p")[0])


def test_a_segment_that_is_gone_is_the_encoders_failure(ts: Encode, tmp_path: Path) -> None:
    with pytest.raises(TranscodeError, match="cannot be opened") as caught:
        _reader(ts, "180p").read(tmp_path / "00009.ts")
    assert caught.value.reason == "encoder_failed"


class _Counting(BytesIO):
    bytes_read = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.bytes_read += len(data)
        return data


def _init(encode: Encode, name: str = "180p") -> bytes:
    return (encode.directory / name / (encode.encoded.listings[name].init or "")).read_bytes()


def _fragment(encode: Encode, data: bytes) -> SegmentFacts:
    return boxes.read_segment(BytesIO(data), boxes.read_init(BytesIO(_init(encode))))
