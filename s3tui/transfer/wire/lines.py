"""The connections of one site: kept while they are useful, counted, and watched for silence."""

from __future__ import annotations

from collections import defaultdict

from s3tui.storage.site import Address
from s3tui.transfer.wire.connection import Connection
from s3tui.transfer.wire.dial import Dialer

_IDLE_SWEEPS = 60
"""Idle connections are closed after so many sweeps; most stores do it sooner."""


class Lines:
    """All connections of one site. Those that came back last are used first, so that the others may end."""

    def __init__(self, *, tls: bool, ca_bundle: str) -> None:
        self._dialer = Dialer(tls=tls, ca_bundle=ca_bundle)
        self._idle: defaultdict[tuple[str, int], list[Connection]] = defaultdict(list)
        self._seen: dict[Connection, tuple[int, int]] = {}
        """Beats of each connection, and for how many sweeps they have not changed."""

    @property
    def opened(self) -> int:
        """Connections made so far."""
        return self._dialer.opened

    def idle(self, address: Address) -> Connection | None:
        """An idle connection to there, if there is one; it is not idle any more then."""
        waiting = self._idle[address.host, address.port]
        return waiting.pop() if waiting else None

    async def open(self, address: Address) -> Connection:
        """A new connection. Raises what `Dialer.connect` raises."""
        socket = await self._dialer.connect(address.host, address.port)
        return Connection(socket, (address.host, address.port), self._forget)

    def give_back(self, connection: Connection) -> None:
        """The connection has done its work, and can do more unless it is closed."""
        if not connection.closed:
            self._idle[connection.address].append(connection)

    def close_idle(self) -> None:
        """Close all that nobody uses."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
            connections.clear()

    def sweep(self, busy: list[Connection]) -> dict[Connection, int]:
        """Called in equal intervals: for how many of them nothing moved on each busy connection. Closes what is idle for long."""
        idle = [connection for connections in self._idle.values() for connection in connections]
        before, self._seen = self._seen, {}
        for connection in (*busy, *idle):
            beats, sweeps = before.get(connection, (-1, 0))
            still = connection.beats == beats and not connection.held
            self._seen[connection] = (connection.beats, sweeps + 1 if still else 0)
        for connection in idle:
            if self._seen[connection][1] > _IDLE_SWEEPS:
                self._forget(connection)
                connection.close()
        return {connection: self._seen[connection][1] for connection in busy}

    def _forget(self, connection: Connection) -> None:
        """An idle connection ends."""
        waiting = self._idle[connection.address]
        if connection in waiting:
            waiting.remove(connection)
