"""How often the actor is tried again. It is all the middleware that our brokers carry.

Dramatiq's defaults would add a time limit, an age limit, callbacks, pipelines and shutdown interrupts. The one actor takes a lease
and returns at once; limits, cancelling and reports live in the state store.
"""

from __future__ import annotations

from dramatiq.middleware import Retries


def short_retries() -> Retries:
    """Five more tries within about ten seconds, for a state database that is away for a moment; then the message is dead.

    Without this middleware Dramatiq counts a failed message as done.
    """
    return Retries(max_retries=5, min_backoff=200, max_backoff=10_000)
