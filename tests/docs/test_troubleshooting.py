"""Every sentence that the page on troubleshooting explains is one that the program still says."""

from __future__ import annotations

import re

import pytest

from tests.docs.conftest import ROOT
from tests.docs.sentences import PLACE, sentences

QUOTED = re.compile(r"^### `(.+)`$", re.MULTILINE)
HEADINGS = QUOTED.findall((ROOT / "docs" / "troubleshooting.md").read_text())


@pytest.fixture(scope="module")
def said() -> str:
    """All that the program may say."""
    return "\n".join(sentences(ROOT / "s3tui"))


def test_there_are_sentences_to_look_for() -> None:
    assert len(HEADINGS) > 25
    assert len(set(HEADINGS)) == len(HEADINGS)


@pytest.mark.parametrize("heading", HEADINGS)
def test_the_program_says_what_is_explained(heading: str, said: str) -> None:
    assert heading.rstrip(PLACE) in said
