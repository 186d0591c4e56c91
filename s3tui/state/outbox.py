"""Messages, written in the transaction that makes them true.

Under the SQLite queue the broker reads the table itself. In front of RabbitMQ it is an outbox: a relay publishes its rows and
deletes them afterwards, so a crash in between repeats a message and never loses one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from s3tui.queues.messages import unit_envelope
from s3tui.state.database import Database
from s3tui.state.sql import Connection

_PAGE = 200


def post_units(connection: Connection, queue: str, job_id: str, unit_numbers: Iterable[int]) -> None:
    """Write one message for each unit, on the caller's transaction."""
    envelopes = [unit_envelope(queue, job_id, number) for number in unit_numbers]
    rows = [(envelope.queue, envelope.priority, envelope.body) for envelope in envelopes]
    connection.insert("INSERT INTO message (queue, priority, body) VALUES (?, ?, ?)", rows)


class Outbox:
    """The messages that wait to be published."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def drain(self, publish: Callable[[bytes], None]) -> int:
        """Publish a page of messages and delete them; returns how many. What `publish` raises keeps the page."""
        with self._database.write() as connection:
            page = connection.rows(
                "SELECT id, body FROM message ORDER BY id LIMIT :page FOR UPDATE OF message SKIP LOCKED", page=_PAGE
            )
            for _id, body in page:
                publish(body)
            if page:
                connection.execute("DELETE FROM message WHERE id = ANY(:published)", published=[number for number, _body in page])
            return len(page)
