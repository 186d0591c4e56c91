"""Who calls: `Authorization: Bearer s3t_ID_SECRET`. A token that was revoked or has expired is found out within a second."""

from __future__ import annotations

import hashlib
import logging
import time
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from s3tui.api.desk import Desk
from s3tui.api.problems import Problem
from s3tui.errors import StateError
from s3tui.state.tokens import Token, last_use_is_known

_log = logging.getLogger(__name__)

_TRUSTED_SECONDS = 1.0
_MOST_TRUSTED = 1000

_bearer = HTTPBearer(auto_error=False, description="A token that `s3tui api token create` makes.")


class Guard:
    """Looks tokens up, and remembers for a second what it found: pollers ask many times."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._trusted: dict[bytes, tuple[float, Token]] = {}

    async def caller(self, token: str | None, host: str) -> Token:
        """Whose token it is. Raises Problem 401, or 429 for a host that keeps failing, and for a token that is used too often."""
        desk = self._desk
        known = None if token is None else await self._look_up(token)
        if known is None or known.state != "good":
            desk.failures_of_host.check(host, "requests without a good token from your address")
            raise _unauthorized(token, known)
        desk.calls_of_token.check(known.id, "requests with this token")
        return known

    async def _look_up(self, token: str) -> Token | None:
        digest, now = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest(), time.monotonic()
        found = self._trusted.get(digest)
        if found is not None and now - found[0] < _TRUSTED_SECONDS:
            return found[1]
        known = await self._desk.call(self._desk.store.tokens.check, token)
        if known is not None:
            if len(self._trusted) >= _MOST_TRUSTED:
                self._trusted.clear()
            self._trusted[digest] = now, known
            if known.state == "good" and not last_use_is_known(known):
                self._desk.start(self._note_use(known))
        return known

    async def _note_use(self, token: Token) -> None:
        """No request waits for it, and none fails because the disk is full."""
        try:
            await self._desk.call(self._desk.store.tokens.use, token)
        except StateError as error:
            _log.warning("The last use of token %s was not written down: %s", token.id, error)


def _unauthorized(token: str | None, known: Token | None) -> Problem:
    if token is None:
        detail, error = "This needs a token: send `Bearer` and the token as the header Authorization.", ""
    else:
        why = "is not known" if known is None else {"revoked": "was revoked", "expired": "has expired"}[known.state]
        detail, error = f"The token {why}; `s3tui api token create` makes one.", ', error="invalid_token"'
    return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": f'Bearer realm="s3tui"{error}'})


async def _reader(request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]) -> Token:
    guard: Guard = request.app.state.guard
    token = await guard.caller(credentials.credentials if credentials else None, request.client.host if request.client else "")
    request.state.token_id = token.id
    return token


async def _writer(token: Annotated[Token, Depends(_reader)]) -> Token:
    if token.scope != "write":
        header = 'Bearer realm="s3tui", error="insufficient_scope", scope="write"'
        detail = "This token may only read: use one that was made with `--scope write`."
        raise Problem(403, "forbidden", detail, headers={"WWW-Authenticate": header})
    return token


Reader = Annotated[Token, Depends(_reader)]
"""A parameter of a route that any good token may call."""
READS = [Depends(_reader)]
"""The same, where it does not matter whose it is."""
Writer = Annotated[Token, Depends(_writer)]
"""A parameter of a route that changes something."""
