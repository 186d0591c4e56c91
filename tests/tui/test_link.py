"""The line to the terminal: what a slow or silent one means for what is painted."""

from __future__ import annotations

import pytest

from s3tui.tui.link import PATIENCE, Figures, Link


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Time."""
    return Clock()


@pytest.fixture
def link(clock: Clock) -> Link:
    """A line whose terminal is asked."""
    return Link(asks=True, clock=clock)


def trip(link: Link, clock: Clock, seconds: float, size: int = 100) -> None:
    """A frame, and the answer after so many seconds."""
    assert link.painted(size, (0, 0))
    clock.now += seconds
    link.answered((0, 0))


def test_one_question_is_out_at_a_time_and_progress_waits_for_its_answer(link: Link, clock: Clock) -> None:
    assert link.free
    assert link.painted(100, (0, 0))
    assert not link.free
    assert not link.painted(100, (0, 0))
    clock.now += 0.3
    link.answered((0, 0))
    assert link.free
    assert link.figures.round_trip == pytest.approx(0.3)


def test_a_line_that_is_not_asked_is_always_free() -> None:
    link = Link()
    assert not link.painted(100, (0, 0))
    assert link.free
    assert link.pause(0.25) == 0.25


def test_looks_are_as_far_apart_as_two_round_trips_and_never_closer_than_was_asked_for(link: Link, clock: Clock) -> None:
    trip(link, clock, 0.08)
    assert link.pause(0.25) == 0.25
    for _ in range(8):
        trip(link, clock, 0.4)
    assert link.pause(0.25) == pytest.approx(0.8, rel=0.01)


def test_a_terminal_that_does_not_answer_is_not_asked_again(link: Link, clock: Clock) -> None:
    link.painted(100, (0, 0))
    clock.now += PATIENCE - 0.1
    assert not link.free
    clock.now += 0.2
    assert link.free
    assert not link.painted(100, (0, 0))
    assert link.pause(0.25) == 0.25


def test_an_answer_that_comes_too_late_proves_that_the_terminal_answers(link: Link, clock: Clock) -> None:
    link.painted(100, (0, 0))
    clock.now += PATIENCE + 1
    assert link.free
    link.answered((0, 0))
    assert link.painted(100, (0, 0))
    assert not link.free


def test_shift_f3_is_no_answer_unless_the_cursor_is_where_it_would_say(link: Link) -> None:
    link.painted(100, (5, 5))
    link.answered((1, 0))
    assert not link.free
    link.answered((5, 5))
    assert link.free
    link.painted(100, (1, 0))
    link.answered((1, 0))
    assert link.free


def test_before_the_terminal_is_left_nothing_more_is_asked_and_the_last_answer_is_worth_a_moment(link: Link, clock: Clock) -> None:
    trip(link, clock, 0.1)
    link.painted(100, (0, 0))
    link.rest()
    assert link.likely_wait == pytest.approx(0.3)
    link.answered((0, 0))
    assert link.likely_wait == 0
    assert not link.painted(100, (0, 0))
    link.resume()
    assert link.painted(100, (0, 0))
    link.give_up()
    assert link.free
    assert not link.painted(100, (0, 0))


def test_people_are_told_of_a_slow_line(link: Link, clock: Clock) -> None:
    trip(link, clock, 0.1)
    assert not link.slow
    for _ in range(5):
        trip(link, clock, 0.41, 1000)
    assert link.slow
    assert link.figures.paints == pytest.approx(1.2)
    assert str(Figures(0.344, 2140, 1.52)) == "340 ms, 2.1 kB/s, 2 paints/s"
