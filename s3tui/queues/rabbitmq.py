"""A Dramatiq broker over RabbitMQ, for workers on many hosts. The client library, pika, is an optional part of the installation."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from s3tui.errors import ConfigError, QueueError
from s3tui.masking import shown_url
from s3tui.queues.messages import MAX_BROKER_PRIORITY
from s3tui.queues.retries import short_retries

if TYPE_CHECKING:
    import dramatiq
    from dramatiq.brokers.rabbitmq import RabbitmqBroker

_TUNING = {
    "heartbeat": "60",  # seconds; a peer that went silent is given up after two of them
    "blocked_connection_timeout": "300",  # seconds; a server short of disk or memory stops its publishers for a while
    "connection_attempts": "1",  # whoever connects tries again by itself, and a worker that is to stop waits for nothing
}
_PATIENCE = {"connection_attempts": "5", "retry_delay": "2"}
"""For the first connection: a worker that starts together with its server waits for it."""


def open_rabbitmq(url: str) -> RabbitmqBroker:
    """Connect to the server of an `amqp://` or `amqps://` URL; the nodes of a cluster are separated by `;`.

    What the query of the URL says goes before our own tuning of the connection. Raises ConfigError for a URL that cannot be read or
    a missing client library, QueueError when no server answers or lets us in.
    """
    try:
        from dramatiq.brokers.rabbitmq import RabbitmqBroker
    except ImportError as error:
        raise ConfigError("queue.url names RabbitMQ, which needs its client: pip install 's3tui[cluster]'.") from error

    pika_log = logging.getLogger("pika")
    if pika_log.level == logging.NOTSET:
        pika_log.setLevel(logging.CRITICAL)  # pika logs each failed attempt with a traceback; one sentence of ours says it all

    try:
        nodes = url.split(";")
        _knock(url, [tuned(node, _TUNING | _PATIENCE) for node in nodes])
        return RabbitmqBroker(
            url=[tuned(node, _TUNING) for node in nodes],
            confirm_delivery=True,  # without it a message to a dead server, or to a missing queue, counts as sent
            max_priority=MAX_BROKER_PRIORITY,
            middleware=[short_retries()],
        )
    except (ValueError, TypeError):
        # Neither the URL nor the cause is shown or chained: in what cannot be read, the password may stand anywhere.
        raise ConfigError(
            "queue.url cannot be read: write it as amqp://USER:PASSWORD@HOST:PORT/VHOST, with the special characters of the "
            "password percent-encoded, and in its query only parameters that pika knows."
        ) from None


def stay_connected(broker: dramatiq.Broker) -> None:
    """Connect the calling thread to the server, or answer the heartbeats that came meanwhile. Raises QueueError."""
    import pika  # type: ignore[import-untyped]
    from dramatiq.brokers.rabbitmq import RabbitmqBroker

    assert isinstance(broker, RabbitmqBroker)
    try:
        broker.connection.process_data_events()
    except (pika.exceptions.AMQPError, OSError) as error:
        del broker.connection
        raise QueueError(f"The RabbitMQ server does not answer: {_cause(error)}.") from error


def tuned(url: str, tuning: dict[str, str]) -> str:
    """The URL with our tuning in its query, where Dramatiq wants it; what the user wrote there wins. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("amqp", "amqps"):
        raise ValueError("not the URL of a RabbitMQ node")
    query = tuning | dict(parse_qsl(parts.query, keep_blank_values=True))
    return urlunsplit(parts._replace(query=urlencode(query)))


def _knock(url: str, nodes: list[str]) -> None:
    """Connect once and hang up, so that a wrong URL is found before work begins. Raises ValueError, QueueError."""
    import pika

    parameters = [pika.URLParameters(node) for node in nodes]
    try:
        pika.BlockingConnection(parameters).close()
    except (pika.exceptions.AMQPError, OSError) as error:
        raise QueueError(
            f"The queue at {shown_url(url)} cannot be reached: {_cause(error)}. Check queue.url, and that the RabbitMQ server runs."
        ) from error


def _cause(error: Exception) -> str:
    """What went wrong, out of pika's nested texts: `Connection refused`, `ACCESS_REFUSED - Login was refused`..."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = " ".join(argument if isinstance(argument, str) else repr(argument) for argument in error.args)
    told = re.search(r"\(\d+\) ['\"](.+?)(?:\. For details.*)?['\"]$", text) or re.search(r"\(-?\d+, ['\"](.+?)['\"]\)", text)
    return (told.group(1) if told else text or type(error).__name__).rstrip(".")
