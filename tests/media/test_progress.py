"""What is understood of ffmpeg's own words on its progress."""

from __future__ import annotations

from s3tui.media.progress import Lines, Progress, ProgressReport


def report(*lines: bytes) -> ProgressReport:
    heard = ProgressReport()
    for line in lines:
        heard.read(line)
    return heard


def test_a_block_counts_when_it_is_whole() -> None:
    assert report(b"fps=12.5", b"out_time_us=40000", b"speed= 1.5x").latest == Progress()
    assert report(b"fps=12.5", b"out_time_us=40000", b"speed= 1.5x", b"progress=continue").latest == Progress(40_000, 12.5, 1.5)


def test_what_is_not_known_yet_is_nothing() -> None:
    assert report(b"fps=0.00", b"out_time_us=N/A", b"speed=N/A", b"progress=continue").latest == Progress()


def test_time_never_goes_back() -> None:
    heard = report(b"out_time_us=500", b"progress=continue", b"out_time_us=-9223372036854775807", b"progress=continue")
    assert heard.latest.out_time_us == 500


def test_only_the_last_word_says_that_all_is_done() -> None:
    assert report(b"progress=end").finished
    assert not report(b"progress=end", b"progress=continue").finished


def test_lines_are_put_together_from_pieces() -> None:
    lines = Lines()
    assert [lines.feed(piece) for piece in (b"ab", b"c\nde\rf", b"\n\n", b"x")] == [[], [b"abc", b"de"], [b"f"], []]


def test_a_line_without_an_end_is_not_kept_in_memory() -> None:
    lines = Lines()
    for _ in range(100):
        assert lines.feed(b"x" * 65_536) == []
    assert lines.feed(b"\n") == [b"x" * 1000]
