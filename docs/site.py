"""What the site has besides the files in docs/: pages made from the code, and those of the top folder (a hook of MkDocs)."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from mkdocs.structure.files import File  # noqa: E402 - found by the line above, as the next

from docs.reference import pages  # noqa: E402

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

_TOP = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    made = pages() | {name: _moved((ROOT / source).read_text()) for source, name in _TOP.items()}
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_rest: object) -> str:
    """Links to files that are no part of the site become their text."""
    return _LINK.sub(lambda link: link[1] if link[2].startswith("../") and "reference/" not in page.url else link[0], markdown)


def _moved(text: str) -> str:
    """A page of the top folder as one of docs/: links into docs/ lose it, those to other pages of the top are renamed."""

    def moved(link: re.Match[str]) -> str:
        words, address = link.groups()
        path, mark, anchor = address.partition("#")
        if address.startswith("docs/"):
            return f"[{words}]({address.removeprefix('docs/')})"
        if path in _TOP:
            return f"[{words}]({_TOP[path]}{mark}{anchor})"
        return link[0] if "://" in address or not path else words

    return _LINK.sub(moved, text)
