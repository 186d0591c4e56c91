"""Files of each kind, looked at by each ffmpeg that is here."""

from __future__ import annotations

import os
import shutil
import threading
from fractions import Fraction
from pathlib import Path

import pytest

from s3tui.errors import NotAFile, S3tuiError, SourceChanged, SourceVanished, TranscodeError
from s3tui.media.binary import Ffmpeg, find_ffmpeg, look_at
from s3tui.media.probe import probe
from s3tui.media.source import Source
from tests.media.inputs import Inputs

pytestmark = pytest.mark.thorough(one_in=3)

FOUND = {ffmpeg.version: ffmpeg for ffmpeg in map(look_at, filter(None, (find_ffmpeg().path, shutil.which("ffmpeg"))))}


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return Inputs(find_ffmpeg().path, tmp_path_factory.mktemp("inputs"))


@pytest.fixture(params=sorted(FOUND))
def ffmpeg(request: pytest.FixtureRequest) -> Ffmpeg:
    return FOUND[request.param]


def look(path: Path, ffmpeg: Ffmpeg) -> Source:
    return probe(os.fsencode(path), ffmpeg)


def refused(path: Path, ffmpeg: Ffmpeg) -> TranscodeError:
    with pytest.raises(TranscodeError) as refusal:
        look(path, ffmpeg)
    return refusal.value


def test_all_of_a_plain_file_is_found(inputs: Inputs, ffmpeg: Ffmpeg) -> None:
    path = inputs["plain.mp4"]
    source = look(path, ffmpeg)
    assert (source.path, source.container, source.size) == (os.fsencode(path), "mov,mp4,m4a,3gp,3g2,mj2", path.stat().st_size)
    assert source.duration_us == 1_000_000
    video = source.video
    assert (video.codec, video.profile, video.level, video.pixel_format) == ("h264", "Constrained Baseline", 11, "yuv420p")
    assert (video.width, video.height, video.sar, video.rotation, video.fps) == (160, 90, Fraction(1), 0, Fraction(25))
    (sound,) = source.audio
    assert (sound.codec, sound.profile, sound.channels, sound.language) == ("aac", "LC", 2, "und")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rotated.mp4", {"rotation": 90, "width": 160, "height": 90}),
        ("portrait.mp4", {"rotation": 0, "width": 90, "height": 160}),
        ("anamorphic.mkv", {"sar": Fraction(4, 3)}),
        ("ntsc.mp4", {"fps": Fraction(24000, 1001)}),
        ("fast.mp4", {"fps": Fraction(120)}),
        ("variable.mp4", {"fps": Fraction(13)}),
        ("odd.mkv", {"width": 161, "height": 91, "codec": "ffv1", "level": 0}),
        ("interlaced.ts", {"interlaced": True}),
        ("hdr.mp4", {"transfer": "smpte2084", "pixel_format": "yuv420p10le"}),
        ("hostile.mkv", {"index": 0, "width": 160, "height": 90}),
    ],
)
def test_each_kind_of_picture_is_told(name: str, expected: dict[str, object], inputs: Inputs, ffmpeg: Ffmpeg) -> None:
    video = look(inputs[name], ffmpeg).video
    assert {field: getattr(video, field) for field in expected} == expected


def test_tracks_are_found_in_their_order(inputs: Inputs, ffmpeg: Ffmpeg) -> None:
    audio = look(inputs["tracks.mkv"], ffmpeg).audio
    assert [(track.codec, track.channels, track.language) for track in audio] == [("aac", 1, "eng"), ("ac3", 6, "deu")]
    assert look(inputs["silent.mp4"], ffmpeg).audio == ()
    (subtitle,) = look(inputs["subtitles.mkv"], ffmpeg).subtitles
    assert subtitle.codec == "subrip"


@pytest.mark.parametrize("name", ["gaps.mp4", "gaps.ts"])
def test_packets_tell_how_long_the_picture_is_and_how_far_key_frames_are_apart(name: str, inputs: Inputs, ffmpeg: Ffmpeg) -> None:
    source = look(inputs[name], ffmpeg)
    assert (source.duration_us, source.keyframe_gap_us) == (1_600_000, 600_000)  # of gaps.mp4 the sound goes on


def test_a_recording_without_a_duration_gets_the_one_of_its_packets(inputs: Inputs, ffmpeg: Ffmpeg) -> None:
    assert look(inputs["live.mkv"], ffmpeg).duration_us == 1_000_000


def test_a_container_that_tells_no_duration_cannot_be_short_of_it(inputs: Inputs, ffmpeg: Ffmpeg) -> None:
    assert 300_000 < look(inputs["cut.ts"], ffmpeg).duration_us < 700_000


@pytest.mark.parametrize(
    ("name", "reason", "words"),
    [
        ("empty.mp4", "empty", "empty"),
        ("image.png", "still_image", "image"),
        ("image.jpg", "still_image", "image"),
        ("image.gif", "still_image", "image"),
        ("playlist.mp4", "unsupported", "list of other files"),
        ("playlist.m3u8", "unsupported", "list of other files"),
        ("concat.mp4", "unsupported", "list of other files"),
        ("text.mp4", "unreadable", "nothing in it"),
        ("zeros.mp4", "unreadable", "nothing in it"),
        ("sound.wav", "audio_only", "sound"),
        ("sound.mp3", "audio_only", "sound"),
        ("cover.m4a", "audio_only", "cover"),
        ("cut.mp4", "truncated", "index"),
        ("cut_early_index.mp4", "truncated", "1.0 s and holds 0."),
        ("cut.mkv", "truncated", "1.0 s and holds 0."),
        ("cut.flv", "truncated", "2.0 s and holds "),
        ("encrypted.mp4", "encrypted", "encrypted"),
        ("far.mkv", "too_large", "48 hours"),
        ("tiny.mkv", "unsupported", "12x90"),
    ],
)
def test_what_cannot_become_a_video_is_refused_in_a_sentence(
    name: str, reason: str, words: str, inputs: Inputs, ffmpeg: Ffmpeg
) -> None:
    error = refused(inputs[name], ffmpeg)
    assert error.reason == reason
    assert str(error).startswith(f"Cannot make a video of {name}: ")
    assert words in str(error)
    assert str(inputs[name].parent) not in str(error)


def test_a_disguised_image_is_refused_as_one(inputs: Inputs, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    disguised = tmp_path / "film.mp4"
    disguised.write_bytes(inputs["image.jpg"].read_bytes())
    assert refused(disguised, ffmpeg).reason == "still_image"


def test_a_list_that_begins_unlike_one_is_not_followed(inputs: Inputs, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    playlist = tmp_path / "film.m3u8"
    playlist.write_bytes(b"# nothing to see\n" + inputs["playlist.m3u8"].read_bytes())
    shutil.copy(inputs["gaps.ts"], tmp_path)
    assert refused(playlist, ffmpeg).reason in {"unsupported", "unreadable"}


def test_more_pixels_than_are_allowed_are_refused_before_one_is_decoded(inputs: Inputs, ffmpeg: Ffmpeg) -> None:
    with pytest.raises(TranscodeError, match="160x90 pixels are more than 14399") as refusal:
        probe(os.fsencode(inputs["plain.mp4"]), ffmpeg, most_pixels=160 * 90 - 1)
    assert refusal.value.reason == "too_large"


@pytest.mark.parametrize(
    "name", [b"-i", b"%d.mp4", b"http:x", b"a b'\"$(x).mp4", b"line\nbreak.mp4", b"latin-\xe9.mp4", b"\x1b[31m.mp4"]
)
def test_names_are_only_names(name: bytes, inputs: Inputs, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    path = os.path.join(os.fsencode(tmp_path), name)  # noqa: PTH118 - bytes
    shutil.copyfile(os.fsencode(inputs["silent.mp4"]), path)
    assert probe(path, ffmpeg).path == path
    with open(path, "wb") as file:
        file.write(b"no video")
    with pytest.raises(TranscodeError) as refusal:
        probe(path, ffmpeg)
    assert str(refusal.value).isprintable()


def test_what_is_no_file_is_refused_without_being_opened(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path, kind in ((fifo, NotAFile), (tmp_path, NotAFile), (tmp_path / "gone", SourceVanished)):
        with pytest.raises(kind):
            look(path, ffmpeg)


def test_a_file_that_changes_while_it_is_looked_at_is_not_trusted(inputs: Inputs, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    film = tmp_path / "silent.mp4"
    shutil.copy(inputs["silent.mp4"], film)
    meddler = tmp_path / "ffmpeg"
    meddler.write_text(f'#!/bin/sh\nprintf x >> {film}\nexec {ffmpeg.path} "$@"\n')
    meddler.chmod(0o755)
    with pytest.raises(SourceChanged, match=r"silent\.mp4 changed"):
        look(film, Ffmpeg(str(meddler), ffmpeg.version))


def test_an_ffmpeg_that_does_not_end_is_ended(inputs: Inputs, tmp_path: Path) -> None:
    stuck = tmp_path / "ffmpeg"
    stuck.write_text("#!/bin/sh\nkill -STOP $$\n")
    stuck.chmod(0o755)
    with pytest.raises(TranscodeError, match=r"within 0\.2 s") as refusal:
        probe(os.fsencode(inputs["silent.mp4"]), Ffmpeg(str(stuck), "0"), seconds=0.2)
    assert refusal.value.reason == "unreadable"


def test_files_are_looked_at_side_by_side(inputs: Inputs, ffmpeg: Ffmpeg) -> None:
    """Each ffmpeg lives as long as its own thread, whatever others do."""
    names = ["plain.mp4", "silent.mp4", "cut.mkv", "text.mp4"]
    for name in names:
        assert inputs[name].exists()
    ended: dict[str, bool] = {}

    def work(name: str) -> None:
        try:
            look(inputs[name], ffmpeg)
            ended[name] = True
        except S3tuiError:
            ended[name] = False

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended == {"plain.mp4": True, "silent.mp4": True, "cut.mkv": False, "text.mp4": False}
