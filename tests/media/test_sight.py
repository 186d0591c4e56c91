"""What the first bytes give away."""

from __future__ import annotations

import io

import pytest

from s3tui.media.sight import is_encrypted, is_list, is_mp4, is_picture


@pytest.mark.parametrize(
    "head",
    [
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"GIF89a",
        b"RIFF\x10\0\0\0WEBPVP8 ",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1",
        b"\0\0\0\x1cftypavif\0\0\0\0",
    ],
)
def test_images_are_seen(head: bytes) -> None:
    assert is_picture(head)
    assert not is_list(head)


@pytest.mark.parametrize("head", [b"\0\0\0\x20ftypisom\0\0\2\0", b"\x1aE\xdf\xa3", b"RIFF\x10\0\0\0AVI LIST", b"", b"G@\0\x10"])
def test_films_are_neither_images_nor_lists(head: bytes) -> None:
    assert not is_picture(head)
    assert not is_list(head)


@pytest.mark.parametrize(
    "head", [b"#EXTM3U\n", b"\xef\xbb\xbf#EXTM3U", b"\n #EXTM3U", b"ffconcat version 1.0", b'<?xml version="1.0"?><MPD>']
)
def test_lists_are_seen(head: bytes) -> None:
    assert is_list(head)


def box(name: bytes, content: bytes = b"") -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + name + content


ENTRY = box(b"stsd", box(b"encv", bytes(6) + b"\0\1"))


def encrypted(content: bytes) -> bool:
    return is_encrypted(io.BytesIO(content))


def test_an_encrypted_track_is_seen_wherever_the_index_is() -> None:
    assert encrypted(box(b"ftyp") + box(b"moov", ENTRY))
    assert encrypted(box(b"ftyp") + box(b"mdat", bytes(1000)) + box(b"moov", ENTRY))
    large = b"\0\0\0\1mdat" + (16 + 1000).to_bytes(8, "big") + bytes(1000)
    assert encrypted(large + box(b"moov", ENTRY))
    assert encrypted(b"\0\0\0\0moov" + ENTRY)


def test_a_word_outside_the_index_is_none_of_its_tracks() -> None:
    assert not encrypted(box(b"ftyp") + box(b"mdat", ENTRY) + box(b"moov", box(b"udta", b"about encv and enca")))


@pytest.mark.parametrize("content", [b"", b"\0\0\0\4moov", b"\xff" * 64, bytes(64), box(b"free") * 5000 + box(b"moov", ENTRY)])
def test_what_is_no_chain_of_boxes_ends_the_search(content: bytes) -> None:
    assert not encrypted(content)


def test_mp4_is_known_by_its_first_box() -> None:
    assert is_mp4(box(b"ftyp"))
    assert not is_mp4(b"\x1aE\xdf\xa3\x01ftyp")
