"""Rows of `api_token`: who may use the REST API. Of a token only its SHA-256 is kept, so that it is seen once, when it is made."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from s3tui.errors import Conflict, NotFound
from s3tui.model import now_ms
from s3tui.state.database import Database
from s3tui.state.sql import Connection, Row

SCOPES = ("read", "write")
"""`write` is more than `read`."""

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_ID_CHARACTERS = 10
_SECRET_CHARACTERS = 52
"""Of 5 bits each: 260 bits."""

_TOKEN = re.compile(rf"s3t_([{_ALPHABET}]{{{_ID_CHARACTERS}}})_[{_ALPHABET}]{{{_SECRET_CHARACTERS}}}")

_USED_MS = 60_000
"""How exactly the last use is known: a write for each request would cost more than the request."""

_COLUMNS = "id, hash, scope, name, created_at, expires_at, revoked_at, used_at"

_INSERT = """
INSERT INTO api_token (id, hash, scope, name, created_at, expires_at) VALUES (:id, :hash, :scope, :name, :now, :expires_at)"""


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token. Times are milliseconds since 1970."""

    id: str
    hash: str
    """SHA-256 of the whole token, in hex."""
    scope: str
    name: str
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    used_at: int | None

    @property
    def state(self) -> str:
        """`good`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now_ms() else "good"


class Tokens:
    """The tokens of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, *, name: str, scope: str, expires_at: int | None = None) -> str:
        """Make a token and return it: `s3t_ID_SECRET`. This is the one time that it is seen."""
        with self._database.write() as connection:
            return _create(connection, name, scope, expires_at)

    def create_first(self) -> str | None:
        """Make a token that may do everything, if there never was one; of several who ask at the same time, one gets it."""
        with self._database.write() as connection:
            self._database.lock(connection, "api_token")
            if connection.first("SELECT id FROM api_token LIMIT 1") is not None:
                return None
            return _create(connection, "first", "write", None)

    def check(self, token: str) -> Token | None:
        """What is known of a token that was shown to us; None if it is none of ours. Whether it is still good is not asked."""
        parts = _TOKEN.fullmatch(token)
        if parts is None:
            return None
        with self._database.read() as connection:
            row = connection.first(f"SELECT {_COLUMNS} FROM api_token WHERE id = :id", id=parts[1])
        known = None if row is None else _token_of(row)
        same = hmac.compare_digest(_hash(token), _hash("") if known is None else known.hash)
        return known if same else None

    def use(self, token: Token) -> None:
        """Write down that it is used now, to the minute."""
        now = now_ms()
        with self._database.write() as connection:
            connection.execute(
                "UPDATE api_token SET used_at = :now WHERE id = :id AND (used_at IS NULL OR used_at <= :since)",
                id=token.id,
                now=now,
                since=now - _USED_MS,
            )

    def revoke(self, token_id: str) -> None:
        """Let it be good for nothing from now on. Raises NotFound, Conflict if it is revoked already."""
        with self._database.write() as connection:
            row = connection.first(f"SELECT {_COLUMNS} FROM api_token WHERE id = :id", id=token_id)
            if row is None:
                raise NotFound(f"There is no token {token_id!r}; `s3tui api token list` shows them all.")
            if _token_of(row).revoked_at is not None:
                raise Conflict(f"Token {token_id} is revoked already.")
            connection.execute("UPDATE api_token SET revoked_at = :now WHERE id = :id", id=token_id, now=now_ms())

    def all(self) -> list[Token]:
        """All that ever were, newest first."""
        with self._database.read() as connection:
            return [_token_of(row) for row in connection.rows(f"SELECT {_COLUMNS} FROM api_token ORDER BY created_at DESC, id")]


def last_use_is_known(token: Token) -> bool:
    """Whether its last use need not be written down again yet."""
    return token.used_at is not None and token.used_at > now_ms() - _USED_MS


def _create(connection: Connection, name: str, scope: str, expires_at: int | None) -> str:
    token_id, secret = _random(_ID_CHARACTERS), _random(_SECRET_CHARACTERS)
    token = f"s3t_{token_id}_{secret}"
    connection.execute(_INSERT, id=token_id, hash=_hash(token), scope=scope, name=name, now=now_ms(), expires_at=expires_at)
    return token


def _random(characters: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(characters))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _token_of(row: Row) -> Token:
    return Token(*row)
