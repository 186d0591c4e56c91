"""Whether a job that came now could be carried: the database, the queue, the bucket, and room for a body.

Each look has a time limit, and what was found is good for a few seconds: whoever asks often, without a token, costs nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import anyio

from s3tui.api.desk import Desk
from s3tui.doctor.findings import Finding, found
from s3tui.model import Connection
from s3tui.queues.broker import open_broker
from s3tui.storage.bucket import Bucket
from s3tui.storage.sdk import SdkApi, open_client

_log = logging.getLogger(__name__)

_GOOD_SECONDS = 3.0
_LOOK_SECONDS = 4.0


class Readiness:
    """The newest findings."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = asyncio.Lock()
        self._looked_at = 0.0
        self._findings: dict[str, str] = {}
        self._api: SdkApi | None = None
        self._limiter = anyio.CapacityLimiter(4)

    async def checks(self) -> dict[str, str]:
        """`ok`, `failed` or `-` (not configured) for each of the parts. Why something failed stands in the log."""
        async with self._lock:
            if not self._findings or time.monotonic() - self._looked_at > _GOOD_SECONDS:
                self._findings = await self._look()
                self._looked_at = time.monotonic()
            return self._findings

    async def _look(self) -> dict[str, str]:
        looks = {"state": self._state, "queue": self._queue, "bucket": self._bucket, "staging": self._staging}
        findings = await asyncio.gather(*(self._find(name, look) for name, look in looks.items()))
        for finding in findings:
            if finding.state == "failed" and self._findings.get(finding.name) != "failed":
                _log.warning("Not ready: %s: %s", finding.name, finding.detail)
        return {finding.name: finding.state for finding in findings}

    async def _find(self, name: str, look: Callable[[], str]) -> Finding:
        if name == "bucket" and not self._desk.settings.s3.bucket_name:
            return Finding(name, "-", "none is configured")
        return await anyio.to_thread.run_sync(lambda: found(name, look, seconds=_LOOK_SECONDS), limiter=self._limiter)

    def _state(self) -> str:
        self._desk.store.database.prove_writable()
        return "writable"

    def _queue(self) -> str:
        open_broker(self._desk.settings.queue.url, state_file=self._desk.store.database.path).close()
        return "answers"

    def _bucket(self) -> str:
        settings = self._desk.settings
        if self._api is None:
            aws, style = settings.aws, settings.s3.addressing_style
            connection = Connection(aws.endpoint_url, aws.profile, addressing_style=style)
            self._api = SdkApi(open_client(connection, aws, max_connections=1, read_timeout=_LOOK_SECONDS))
        Bucket(self._api, settings.s3.bucket_name).check()
        return "answers"

    def _staging(self) -> str:
        self._desk.staging.ensure_ready()
        return "has room"
