"""Where the queue is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class QueueOptions(BaseModel):
    """The `queue` section of the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(
        "sqlite",
        description="Where units wait for a worker: `sqlite` (inside the state file, for workers on this host), or "
        "amqp://USER:PASSWORD@HOST:5672/VHOST for RabbitMQ (several nodes separated by `;`).",
    )
