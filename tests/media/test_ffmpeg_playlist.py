"""The playlists that ffmpeg writes."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3tui.errors import TranscodeError
from s3tui.media.ffmpeg_playlist import Listed, read_listing
from tests.media.encodes import Encode

HEAD = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n"


def test_a_playlist_lists_segments_to_the_microsecond() -> None:
    listing = read_listing(
        f'{HEAD}#EXT-X-MAP:URI="init_0.mp4"\n#EXTINF:4.004000,\n00001.m4s\n#EXTINF:0.08,\n00002.m4s\n#EXTINF:2,\n00003.m4s\n'
    )
    assert listing.segments == (Listed("00001.m4s", 4_004_000), Listed("00002.m4s", 80_000), Listed("00003.m4s", 2_000_000))
    assert (listing.init, listing.ended, listing.duration_us) == ("init_0.mp4", False, 6_084_000)


def test_real_playlists_end_and_name_their_init_file(fmp4: Encode, ts: Encode) -> None:
    assert fmp4.encoded.listings["180p"].ended
    assert fmp4.encoded.listings["180p"].init == "init_0.mp4"
    assert ts.encoded.listings["180p"].init is None
    assert [segment.name for segment in ts.encoded.listings["90p"].segments] == ["00001.ts", "00002.ts", "00003.ts"]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "does not begin"),
        ("\ufeff#EXTM3U\n", "does not begin"),
        (f"{HEAD}00001.ts\n", "without a duration"),
        (f"{HEAD}#EXTINF:1,\n00001.ts\n00002.ts\n", "without a duration"),
        (f"{HEAD}#EXTINF:1,\n../00001.ts\n", "not in its directory"),
        (f"{HEAD}#EXTINF:1,\nhttp://localhost/00001.ts\n", "not in its directory"),
        (f'{HEAD}#EXT-X-MAP:URI="/etc/passwd"\n', "not in its directory"),
        (f'{HEAD}#EXT-X-MAP:URI="a.mp4"\n#EXT-X-MAP:URI="b.mp4"\n', "two init files"),
    ],
)
def test_what_is_no_playlist_of_ours_is_refused(text: str, cause: str) -> None:
    with pytest.raises(TranscodeError, match=cause) as caught:
        read_listing(text)
    assert caught.value.reason == "incomplete"


@given(
    st.lists(st.sampled_from(["#EXTINF:", "1", "1.5,", "\n", "#EXTM3U\n", "00001.ts", "#EXT-X-MAP:URI=", '"', "\0", "٣"])).map(
        "".join
    )
)
def test_random_playlists_are_read_or_refused(text: str) -> None:
    with suppress(TranscodeError):
        read_listing("#EXTM3U\n" + text)
