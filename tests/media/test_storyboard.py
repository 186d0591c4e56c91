"""How many pictures a storyboard has, and how they lie."""

from __future__ import annotations

import pytest

from s3tui.media.plan import Rung
from s3tui.media.storyboard import storyboard

WIDE = Rung("720p", 1280, 720, 0)
SECOND = 1_000_000


@pytest.mark.parametrize(
    ("duration_us", "seconds", "count", "layout", "sheets"),
    [
        (1, 1, 1, (1, 1), 1),
        (12 * SECOND + 1, 1, 13, (10, 2), 1),
        (100 * SECOND, 1, 100, (10, 10), 1),
        (600 * SECOND, 6, 100, (10, 10), 1),
        (7200 * SECOND, 10, 720, (10, 10), 8),
    ],
)
def test_pictures_are_dense_enough_and_few_enough(
    duration_us: int, seconds: int, count: int, layout: tuple[int, int], sheets: int
) -> None:
    board = storyboard(duration_us, WIDE)
    assert (board.seconds, board.count, (board.columns, board.rows), board.sheets) == (seconds, count, layout, sheets)
    assert len(board.durations_us) == count
    assert sum(board.durations_us) == duration_us


@pytest.mark.parametrize(("width", "height", "small"), [(1280, 720, (160, 90)), (720, 1280, (90, 160)), (4000, 20, (160, 2))])
def test_pictures_keep_the_shape_of_the_video(width: int, height: int, small: tuple[int, int]) -> None:
    board = storyboard(SECOND, Rung("x", width, height, 0))
    assert (board.width, board.height) == small
