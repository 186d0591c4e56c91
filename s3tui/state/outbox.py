"""Messages, written in the transaction that makes them true.

Under the SQLite queue the broker reads the table itself. In front of RabbitMQ it is an outbox: a relay publishes its rows and
deletes them afterwards, so a crash in between repeats a message and never loses one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlalchemy import Connection, delete, insert, select

from s3tui.queues.messages import unit_envelope
from s3tui.state.database import Database
from s3tui.state.schema import message

_PAGE = 200


def post_units(connection: Connection, queue: str, job_id: str, unit_numbers: Iterable[int]) -> None:
    """Write one message for each unit, on the caller's transaction."""
    envelopes = [unit_envelope(queue, job_id, number) for number in unit_numbers]
    if envelopes:
        connection.execute(insert(message), [{"queue": e.queue, "priority": e.priority, "body": e.body} for e in envelopes])


class Outbox:
    """The messages that wait to be published."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def drain(self, publish: Callable[[bytes], None]) -> int:
        """Publish a page of messages and delete them; returns how many. What `publish` raises keeps the page."""
        with self._database.write() as connection:
            page = connection.execute(
                select(message.c.id, message.c.body).order_by(message.c.id).limit(_PAGE).with_for_update(skip_locked=True)
            ).all()
            for row in page:
                publish(row.body)
            connection.execute(delete(message).where(message.c.id.in_([row.id for row in page])))
            return len(page)
