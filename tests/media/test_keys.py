"""The file of a key, and the address that players are told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from s3tui.errors import TranscodeError
from s3tui.media.keys import check_address, read_key


def test_any_sixteen_bytes_are_a_key(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"odd\xff name")
    path.write_bytes(b"\n\0 \xff" * 4)
    assert read_key(str(path)) == b"\n\0 \xff" * 4
    link = tmp_path / "link"
    link.symlink_to(path)
    assert read_key(str(link)) == read_key(str(path))


@pytest.mark.parametrize(
    ("content", "cause"),
    [(b"", "it has 0 and not 16 bytes"), (b"x" * 15, "it has 15 and not 16 bytes"), (b"0" * 32, "it has more than 16 bytes")],
)
def test_a_key_of_another_length_is_refused(tmp_path: Path, content: bytes, cause: str) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(TranscodeError, match=cause) as refused:
        read_key(str(tmp_path / "key"))
    assert refused.value.reason == "no_key"


@pytest.mark.parametrize("kind", ["directory", "pipe", "device", "nothing", "nul"])
def test_what_is_no_regular_file_is_no_key(tmp_path: Path, kind: str) -> None:
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "pipe")
    paths = {"device": "/dev/zero", "nul": "a\0b"}
    causes = {"nothing": "no such file or directory", "nul": "NUL"}
    with pytest.raises(TranscodeError, match=causes.get(kind, "no regular file")):
        read_key(paths.get(kind, str(tmp_path / kind)))


def test_a_hostile_name_is_shown_harmless() -> None:
    with pytest.raises(TranscodeError) as refused:
        read_key("/no\n\x1b[31m\udcff")
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "address",
    [
        "https://keys.example/film.key",
        "http://[::1]:8080/k?film=1&t=%C3%A9",
        "HTTPS://KEYS.EXAMPLE",
        "film.key",
        "../../keys/film;v=2",
        "/keys/a,b",
        "//keys.example/film",
        "?key=1",
    ],
)
def test_an_address_that_players_can_use_is_taken(address: str) -> None:
    check_address(address)


@pytest.mark.parametrize(
    ("address", "cause"),
    [
        ("", "not written as a URL"),
        ('https://a.example/"', "not written as a URL"),
        ('k",IV=0x0', "not written as a URL"),
        ("https://a.example/a\nb", "not written as a URL"),
        ("https://a.example/\r", "not written as a URL"),
        ("https://a.example/ b", "not written as a URL"),
        ("https://a.example/\x1b[31m", "not written as a URL"),
        ("https://ä.example/", "not written as a URL"),
        ("https://a.example/\udcff", "not written as a URL"),
        ("https://a.example/50%", "not written as a URL"),
        ("ftp://a.example/k", "neither an http or https URL"),
        ("file:///etc/passwd", "neither an http or https URL"),
        ("data:application/octet-stream;base64,AAAA", "neither an http or https URL"),
        ("javascript:alert(1)", "neither an http or https URL"),
        ("https://", "neither an http or https URL"),
        ("https:key", "neither an http or https URL"),
        ("https://:80/", "neither an http or https URL"),
        ("https://a.example:x/", "not a URL"),
        ("http://[::1/", "not a URL"),
        ("https://me:pass@a.example/k", "user's name or password"),
        ("//me@a.example/k", "user's name or password"),
        ("https://a.example/" + "k" * 2000, "longer than 2000"),
    ],
)
def test_an_address_that_would_harm_or_lead_nowhere_is_refused(address: str, cause: str) -> None:
    with pytest.raises(ValueError, match=cause):
        check_address(address)
