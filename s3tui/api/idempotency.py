"""A request with an Idempotency-Key that was sent twice is answered once: the second time with the first job.

    same key, same request, same body      the answer of the first, whoever gave it
    same key, another request or body      422
    same key, and the first is at work     409, with Retry-After

Keys belong to a token, live in the database for a week, and outlive every process: what a killed server began is taken over. A
request that was refused leaves its key free.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated

import anyio
from fastapi import Header, Request

from s3tui.api.desk import Desk
from s3tui.api.problems import Problem
from s3tui.model import new_id
from s3tui.state.requests import HOLD_MS, Claim
from s3tui.state.tokens import Token

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Any text that is yours: the same request, sent again with it, is answered with the first job.",
    ),
]


class Attempt:
    """One try to answer a request. Without a key everything about it is always new."""

    def __init__(self, desk: Desk, claim: Claim | None) -> None:
        self._desk = desk
        self._claim = claim
        self.job_id = claim.job_id if claim else new_id()
        """The job that it makes, if it makes one."""

    def seal(self, body_hash: str) -> None:
        """The body has come; call it before the job is made. Raises Problem 409 if another attempt has taken over. Blocks."""
        if self._claim is not None and not self._desk.store.requests.seal(self._claim, body_hash):
            raise _busy()

    def finish(self, job_id: str) -> None:
        """The answer is this job. Blocks."""
        if self._claim is not None:
            self._desk.store.requests.finish(self._claim, job_id)


@asynccontextmanager
async def attempt(
    desk: Desk,
    request: Request,
    caller: Token,
    key: str | None,
    *,
    body_hash: Callable[[], Awaitable[str]],
    steers: str | None = None,
) -> AsyncIterator[Attempt | str]:
    """The attempt that is to answer within, or the id of the job that has been the answer already.

    `body_hash` reads the body; it is asked only if that decides. `steers`: the job that the request is about; else it makes one.
    Raises Problem 409 and 422.
    """
    if key is None:
        yield Attempt(desk, None)
        return
    told = f"{request.method} {request.url.path}?{request.url.query}"
    claim = await desk.call(desk.store.requests.claim, caller.id, key, told, steers)
    if not isinstance(claim, Claim):
        if claim.request != told:
            raise _reused("request")
        if claim.busy:
            raise _busy()
        if claim.body_hash != await body_hash():
            raise _reused("body")
        yield claim.job_id
        return
    renewing = asyncio.create_task(_renew(desk, claim))
    try:
        yield Attempt(desk, claim)
    except BaseException:
        with anyio.CancelScope(shield=True):
            await desk.call(desk.store.requests.release, claim)
        raise
    finally:
        renewing.cancel()


async def _renew(desk: Desk, claim: Claim) -> None:
    while True:
        await asyncio.sleep(HOLD_MS / 3000)
        await desk.call(desk.store.requests.renew, claim)


def _busy() -> Problem:
    detail = "The first request with this Idempotency-Key is still being answered. Send it again a little later."
    return Problem(409, "in_flight", detail, headers={"Retry-After": "1"})


def _reused(what: str) -> Problem:
    return Problem(422, "key_reused", f"This Idempotency-Key came with another {what} before: take a new key for a new request.")
