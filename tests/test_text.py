"""Text for people."""

from __future__ import annotations

import pytest

from s3tui.text import format_rate, parse_age, parse_rate, separated_words

NOW = 1_800_000_000_000


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (10_000_000, "10MB/s"),
        (8 << 20, "8MiB/s"),
        (1_500_000, "1500KB/s"),
        (1_024_000, "1000KiB/s"),
        (1 << 40, "1TiB/s"),
        (1_234_567, "1234567B/s"),
    ],
)
def test_a_rate_is_written_exactly_and_can_be_read_again(rate: int, text: str) -> None:
    assert format_rate(rate) == text
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", NOW - 90_000),
        ("90m", NOW - 5_400_000),
        ("12h", NOW - 43_200_000),
        ("30d", NOW - 2_592_000_000),
        ("2w", NOW - 1_209_600_000),
        ("1.5h", NOW - 5_400_000),
        ("1970-01-02", 86_400_000),
        ("1970-01-01T01:00", 3_600_000),
        ("1970-01-01T01:00:00.5+01:00", 500),
        ("1969-12-31T23:59:59Z", -1000),
    ],
)
def test_an_age_is_a_time_span_before_now_or_a_date(text: str, moment: int) -> None:
    assert parse_age(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1y", "1d ", "yesterday", "2026-02-30", "9" * 400 + "d"])
def test_what_is_no_age_is_told_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="is not an age; write it like 30d, 12h, 90m or 2026-11-21"):
        parse_age(text, NOW)


@pytest.mark.parametrize(
    ("delimiter", "words"),
    [
        (",", "comma-separated"),
        (";", "semicolon-separated"),
        ("\t", "tab-separated"),
        (" ", "space-separated"),
        ("|", "separated by |"),
        ("\x1f", "separated by \\x1f"),
    ],
)
def test_a_delimiter_is_told_in_words(delimiter: str, words: str) -> None:
    assert separated_words(delimiter) == words
