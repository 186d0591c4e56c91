"""What travels in a queue: the two ids of a unit, nothing else. Dramatiq is imported only when a message is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

UNIT_ACTOR = "take_unit"
"""The one actor. Its arguments are the job's id and the number of the unit."""

MAX_BROKER_PRIORITY = 9
"""RabbitMQ counts from 0 to this, highest first."""

_NEUTRAL = 5
_PRIORITIES = range(_NEUTRAL - MAX_BROKER_PRIORITY, _NEUTRAL + 1)


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message, ready to be inserted into the `message` table by whoever owns the transaction."""

    queue: str
    """The broker's name of the queue."""
    priority: int
    """Lower first."""
    body: bytes
    """The encoded Dramatiq message: JSON."""


def queue_name(queue: str) -> str:
    """The broker's name of a queue.

    It carries a version because RabbitMQ refuses to declare an existing queue with other arguments: new arguments, new name.
    """
    return f"s3tui.{queue}.v1"


def unit_envelope(queue: str, job_id: str, unit_no: int, priority: int = 0) -> Envelope:
    """The message that asks the workers of `queue` to take one unit.

    `priority` lies between -4 (first) and 5 (last). Raises ValueError outside of it.
    """
    from dramatiq import Message

    if priority not in _PRIORITIES:
        raise ValueError(f"priority {priority} does not lie between {_PRIORITIES.start} and {_PRIORITIES.stop - 1}")
    name = queue_name(queue)
    options = {"broker_priority": _NEUTRAL - priority}
    message: Message[None] = Message(queue_name=name, actor_name=UNIT_ACTOR, args=(job_id, unit_no), kwargs={}, options=options)
    return Envelope(queue=name, priority=priority, body=message.encode())


def row_priority(options: Mapping[str, int]) -> int:
    """The `message.priority` of a message with these options: lower first, where `broker_priority` has higher first."""
    return _NEUTRAL - options.get("broker_priority", _NEUTRAL)
