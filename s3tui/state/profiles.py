"""Rows of `profile`: what an endpoint was found to support, so that it is probed once and not by every job."""

from __future__ import annotations

from s3tui.model import now_ms
from s3tui.state.database import Database

_GOOD_FOR_MS = 30 * 24 * 3600 * 1000
"""Stores are renewed now and then."""


class Profiles:
    """The profiles in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, endpoint: str) -> str | None:
        """The JSON that was put down for an endpoint; None if it was never probed, or too long ago to count."""
        with self._database.read() as connection:
            query = "SELECT profile FROM profile WHERE endpoint = :endpoint AND probed_at > :since"
            found = connection.first(query, endpoint=endpoint, since=now_ms() - _GOOD_FOR_MS)
            return None if found is None else str(found[0])

    def put(self, endpoint: str, profile: str) -> None:
        """Write down what an endpoint was found to support, in place of what was known before."""
        with self._database.write() as connection:
            connection.execute(
                """
                INSERT INTO profile (endpoint, profile, probed_at) VALUES (:endpoint, :profile, :now)
                ON CONFLICT (endpoint) DO UPDATE SET profile = excluded.profile, probed_at = excluded.probed_at""",
                endpoint=endpoint,
                profile=profile,
                now=now_ms(),
            )
