"""From names to keys."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3tui.transfer.naming import Unnameable, key_for


@pytest.mark.parametrize("encode_names", ["", "percent"])
@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50))
def test_every_name_that_is_utf8_is_its_own_key(encode_names: str, name: str) -> None:
    assert key_for(name.encode(), "some/", encode_names) == f"some/{name}"


def test_a_name_that_is_not_utf8_needs_to_be_asked_for() -> None:
    refused = key_for(b"a\xff\x1b", "p/")
    assert isinstance(refused, Unnameable)
    assert refused.reason == "name_not_utf8"
    assert r"a\xff\x1b" in refused.error
    assert key_for("é/".encode() + b"a\xff", "p/", "percent") == "p/é/a%FF"


@given(st.binary(min_size=1, max_size=20).filter(lambda name: not _is_utf8(name)))
def test_escaped_names_are_reversible(name: bytes) -> None:
    key = key_for(name, "", "percent")
    assert isinstance(key, str)
    assert unquote_to_bytes(key) == name


def test_escapes_that_were_there_before_survive() -> None:
    assert unquote_to_bytes(str(key_for(b"%41%\xff%25", "", "percent"))) == b"%41%\xff%25"


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize(("length", "fits"), [(1022, True), (1023, False)])
def test_a_key_has_at_most_1024_bytes_with_its_prefix(length: int, fits: bool) -> None:
    assert isinstance(key_for(b"x" * length, "p/"), str) is fits
    name = ("é" * (length // 2)).encode()  # each two bytes
    longer = key_for(name + b"x" * (length - len(name)), "p/")
    assert isinstance(longer, str) is fits
    if isinstance(longer, Unnameable):
        assert longer.reason == "key_too_long"
        assert "1025" in longer.error
