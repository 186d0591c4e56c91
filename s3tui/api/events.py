"""How a job changes, as Server-Sent Events: each event is the whole job as it is then, with its digest as the id.

    event: job     id: the digest     data: as GET /v1/jobs/{id}
    event: end     the same id        data: {"state": ...}; the stream ends

Whoever comes back with the id of the newest version is told the next change, and anybody else the job as it is: nothing that
matters is missed, across restarts and servers. Of a job that has ended, and was told to its end, there is no more (204), so that
browsers stop asking. The job is read twice a second, for all of its viewers at once.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import Request

from s3tui.api.desk import Desk
from s3tui.api.jobs_shown import digest, shown_whole
from s3tui.model import JobState
from s3tui.state.tokens import Token

_LOOK_SECONDS = 0.5
_QUIET_SECONDS = 15.0
_RETRY_MS = 2000
_MOST_REMEMBERED = 256


class Sights:
    """The newest look at each job that somebody watches."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._looks: dict[str, tuple[float, dict[str, Any]]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def look(self, job_id: str) -> dict[str, Any]:
        """The job as it was less than half a second ago. Raises NotFound."""
        async with self._locks.setdefault(job_id, asyncio.Lock()):
            found = self._looks.get(job_id)
            if found is not None and time.monotonic() - found[0] < _LOOK_SECONDS * 0.8:
                return found[1]
            facts = await self._desk.call(shown_whole, self._desk, job_id)
            if len(self._looks) >= _MOST_REMEMBERED:
                self._looks.clear()
                self._locks = {job: lock for job, lock in self._locks.items() if lock.locked()}
            self._looks[job_id] = time.monotonic(), facts
            return facts


def is_over(facts: dict[str, Any]) -> bool:
    """Whether nothing more happens to the job unless somebody asks for it."""
    state = JobState(facts["state"])
    return state.ended or state is JobState.PLANNED


async def stream(
    request: Request, desk: Desk, sights: Sights, caller: Token, job_id: str, last: str | None, *, quiet: float = _QUIET_SECONDS
) -> AsyncIterator[str]:
    """The events after the one with the id `last`, until the job has ended, the caller leaves or may not look any more."""
    with desk.streams_of_token.one(caller.id):
        yield f"retry: {_RETRY_MS}\n\n"
        told_at = time.monotonic()
        while not desk.stopping and not await request.is_disconnected():
            facts = await sights.look(job_id)
            version = digest(facts)
            if version != last:
                yield _event("job", version, facts)
                last, told_at = version, time.monotonic()
            if is_over(facts):
                yield _event("end", version, {"state": facts["state"]})
                return
            if time.monotonic() - told_at >= quiet:
                yield ": still here\n\n"
                told_at = time.monotonic()
                if not await desk.call(_may_look, desk, caller):
                    return
            await asyncio.sleep(_LOOK_SECONDS)


async def begun(events: AsyncIterator[str]) -> AsyncIterator[str]:
    """The same events; that there are too many streams is said before the first of them. Raises Problem 429."""
    first = await anext(events)

    async def all_of_them() -> AsyncIterator[str]:
        yield first
        async for event in events:
            yield event

    return all_of_them()


def _may_look(desk: Desk, caller: Token) -> bool:
    return any(token.id == caller.id and token.state == "good" for token in desk.store.tokens.all())


def _event(kind: str, version: str, facts: dict[str, Any]) -> str:
    return f"event: {kind}\nid: {version}\ndata: {json.dumps(facts)}\n\n"
