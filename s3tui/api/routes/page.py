"""`/` and `/docs`: two pages for people. Each is one file that loads nothing from elsewhere; no script runs but its own."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

router = APIRouter(include_in_schema=False)

_PAGES = Path(__file__).parents[1] / "page"


@router.get("/")
async def show_page() -> Response:
    """The jobs, live, for whoever has a token."""
    return _page("index.html")


@router.get("/docs")
async def show_docs() -> Response:
    """What there is, from the OpenAPI document."""
    return _page("docs.html")


def _page(name: str) -> Response:
    text, policy = _read(name)
    return Response(text, media_type="text/html; charset=utf-8", headers={"Content-Security-Policy": policy})


@cache
def _read(name: str) -> tuple[str, str]:
    """A page, and the policy that lets only what stands in it run."""
    text = (_PAGES / name).read_text()
    scripts, styles = (" ".join(_hashes(tag, text)) for tag in ("script", "style"))
    policy = (
        f"default-src 'none'; script-src {scripts}; style-src {styles}; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    return text, policy


def _hashes(tag: str, text: str) -> list[str]:
    contents = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
    return [f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in contents]
