"""A part of the tests for who has ten minutes: `pytest --draw SEED`, as `make test` does. Without it all run, as in `make proof`.

Tests that take long are marked `thorough(one_in=N)`: function by function, or for a whole file with `pytestmark`. Of each that is
marked, one case in N is drawn, and one at least; the seed decides which.
"""

from __future__ import annotations

from collections import defaultdict
from math import ceil
from random import Random

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """The one option."""
    parser.addoption("--draw", metavar="SEED", help="run only a part of the tests that are marked thorough, drawn from this seed")


def pytest_configure(config: pytest.Config) -> None:
    """Tell what the mark means."""
    config.addinivalue_line("markers", "thorough(one_in): with --draw, one in so many of these cases is run, and one at least")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Draw."""
    seed = config.getoption("--draw")
    if seed is None:
        return
    marked: dict[tuple[str, int], list[pytest.Item]] = defaultdict(list)
    for item in items:
        if nearest := next(item.iter_markers_with_node("thorough"), None):
            node, mark = nearest
            cases_of = item.nodeid.partition("[")[0] if node is item else node.nodeid
            marked[cases_of, mark.kwargs["one_in"]].append(item)
    left_out: set[pytest.Item] = set()
    for (cases_of, one_in), cases in marked.items():
        drawn = Random(f"{seed} {cases_of}").sample(cases, ceil(len(cases) / one_in))
        left_out.update(set(cases) - set(drawn))
    config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = [item for item in items if item not in left_out]
