"""What the repository asks of people is what CI does, and what it offers is well formed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import s3tui
from tests.docs.conftest import ROOT

TEMPLATES = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.md"))


def lint() -> Iterator[str]:
    """The commands of `make lint`, without what they are given to look at."""
    rule = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert rule
    for line in rule[1].splitlines():
        yield line.strip().removeprefix("$(BIN)/").replace(" $(SOURCES)", "")


def test_pre_commit_checks_what_ci_checks_and_fetches_nothing() -> None:
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]

    assert {repository["repo"] for repository in repositories} == {"local"}
    hooks = [hook for repository in repositories for hook in repository["hooks"]]
    assert [hook["entry"].removeprefix(".venv/bin/") for hook in hooks] == list(lint())
    assert {hook["language"] for hook in hooks} == {"system"}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_an_issue_template_says_what_it_is_for(path: Path) -> None:
    head = yaml.safe_load(path.read_text().split("---\n")[1])

    assert {"name", "about", "labels"} <= head.keys()


def test_there_is_a_template_for_errors_wishes_and_stores() -> None:
    assert [path.stem for path in TEMPLATES] == ["error", "store", "wish"]


def test_the_changelog_is_in_order() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    releases = re.findall(r"^## \[(.+?)\](.*)$", text, re.MULTILINE)
    sections = re.findall(r"^### (\w+)$", text.partition("\n## [")[2].partition("\n## [")[0], re.MULTILINE)

    assert releases[0] == ("Unreleased", "")
    assert all(re.fullmatch(r" - \d{4}-\d\d-\d\d", date) for _, date in releases[1:])
    assert sections == sorted(set(sections), key=["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"].index)
    assert re.fullmatch(r"\d+\.\d+\.\d+", s3tui.__version__)
