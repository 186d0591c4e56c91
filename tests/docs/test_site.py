"""The site builds without a warning, loads nothing from other hosts, and its reference has all there is."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import yaml

from s3tui.cli.outline import outline
from s3tui.config.settings import known_keys
from tests.api.test_schema import CALLS
from tests.docs.conftest import ROOT

LOADING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}


class Loads(HTMLParser):
    """Collects what a browser fetches by itself for a page, and what can be linked to on it."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the address of what the tag loads."""
        address = dict(attrs).get(LOADING.get(tag, ""))
        if address:
            self.addresses.append(address)

    def handle_data(self, data: str) -> None:
        """Note the text."""
        self.text += data


def read(path: Path) -> Loads:
    """A page of the site."""
    page = Loads()
    page.feed(path.read_text())
    return page


def test_has_every_page_in_its_navigation(site: Path) -> None:
    named = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]
    pages = [*named]
    for page in pages:
        pages += [entry for value in page.values() if isinstance(value, list) for entry in value]
    names = {value for page in pages for value in page.values() if isinstance(value, str)}

    assert {path.name for path in (ROOT / "docs").glob("*.md")} <= names
    assert [name for name in names if not (site / name).with_suffix(".html").is_file()] == []


def test_loads_nothing_from_other_hosts(site: Path) -> None:
    pages = {path: read(path).addresses for path in site.rglob("*.html")}

    assert len(pages) > 20
    assert [(path.name, address) for path, addresses in pages.items() for address in addresses if "//" in address] == []
    assert [path.name for path in site.rglob("*.css") if "url(http" in path.read_text() or "@import" in path.read_text()] == []


def test_tells_every_command_and_option(site: Path) -> None:
    text = read(site / "reference" / "commands.html").text

    for command in outline().walk():
        assert " ".join(command.words) in text
        assert [
            flag for option in command.options for flag in option.flags if flag not in ("-h", "--help") and flag not in text
        ] == []


def test_tells_every_key_of_the_configuration(site: Path) -> None:
    text = read(site / "reference" / "configuration.html").text

    assert [(section, key) for section, key, _ in known_keys() if section not in text or key not in text] == []


def test_tells_every_call_of_the_api(site: Path) -> None:
    text = read(site / "reference" / "rest.html").text

    assert [call for call in CALLS if " ".join(call) not in text] == []
