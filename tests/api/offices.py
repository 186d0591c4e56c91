"""The application in this process, over a state of its own, and a client with a token for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from s3tui.api.app import create_app
from s3tui.api.desk import Desk
from s3tui.config import Settings
from s3tui.runtime import Runtime
from s3tui.state.store import Store
from tests.databases import empty

ROWS = b"id,name\n1,ann\n2,bob\n"
CSV = {"Content-Type": "text/csv"}


@dataclass(frozen=True)
class Office:
    """The application, and somebody who may do everything."""

    app: FastAPI
    desk: Desk
    client: httpx.AsyncClient
    token: str

    @property
    def store(self) -> Store:
        """The state, to look at behind the scenes."""
        return self.desk.store

    @property
    def staged(self) -> list[str]:
        """What is in staging, by its paths there."""
        root = self.desk.staging.directory
        return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())

    def bearer(self, **fields: Any) -> dict[str, str]:
        """The header of a new token."""
        return bearer(self.store.tokens.create(**{"name": "", "scope": "write", **fields}))

    async def post_rows(
        self, query: str = "name=rows.csv", content: bytes = ROWS, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Post a CSV file."""
        return await self.client.post(f"/v1/ingests?{query}", content=content, headers={**CSV, **(headers or {})})


def bearer(token: str) -> dict[str, str]:
    """The header of a token."""
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def office_of(directory: Path, *, state_url: str = "sqlite", **api: Any) -> AsyncIterator[Office]:
    """An application whose state is in `$XDG_STATE_HOME`, and whose jobs nobody carries."""
    sections = {
        "s3": {"bucket_name": "bucket", "prefix": "in/"},
        "state": {"url": state_url},
        "api": {"start_worker": False, "staging_directory": str(directory / "staging"), "requests_per_second": 10_000, **api},
    }
    with Runtime(Settings.model_validate(sections)) as runtime:
        if state_url != "sqlite":
            empty(runtime.store)
        desk = Desk(runtime)
        app = create_app(desk)
        token = runtime.store.tokens.create(name="test", scope="write")
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=bearer(token)) as client:
            yield Office(app, desk, client, token)
