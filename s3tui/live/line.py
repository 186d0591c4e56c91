"""The way to one Redis. The client library is an optional part of the installation, and is imported here alone.

Every call is bounded: connecting, and each answer, has a time in which it must come. No call is repeated by itself: what is written
a second later is newer.

Concurrency: one caller at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from s3tui.errors import ConfigError, LiveError
from s3tui.live.layout import EVENTS, PROBE, Hash
from s3tui.live.options import check_url, unreadable_url
from s3tui.masking import masked, shown_url
from s3tui.text import display_text

if TYPE_CHECKING:
    from redis import Redis

_SECONDS = 2.0
_PROBE_MS = 1000


class Line:
    """One Redis, written to and never read."""

    def __init__(self, url: str, *, seconds: float = _SECONDS) -> None:
        """Nothing is connected to yet. `seconds` is what one answer may take.

        Raises ConfigError for a URL that cannot be read, or a missing client library.
        """
        check_url(url)
        self.place = shown_url(url)
        """Where it is, as logs and people may know it."""
        self._seconds = seconds
        self._client = _client(url, seconds)

    def write(self, hashes: Sequence[Hash], *, gone: Sequence[str], messages: Sequence[str]) -> None:
        """Write these hashes, each with its time to live, remove what is gone, then tell who listens: all, or an error.

        Raises LiveError.
        """
        from redis import RedisError

        try:
            with self._client.pipeline(transaction=True) as together:
                for key, fields, ttl_ms in hashes:
                    together.hset(key, items=[text for pair in fields.items() for text in pair])
                    together.pexpire(key, ttl_ms)
                if gone:
                    together.delete(*gone)
                for message in messages:
                    together.publish(EVENTS, message)
                together.execute()
        except (RedisError, OSError) as error:
            raise self._failure(error) from error

    def look(self) -> None:
        """See that it can be reached, and takes what is written. Raises LiveError."""
        from redis import RedisError

        try:
            self._client.set(PROBE, "1", px=_PROBE_MS)
        except (RedisError, OSError) as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Hang up; the next call would connect again."""
        with suppress(Exception):  # what is being given up may be in any state
            self._client.connection_pool.disconnect()

    def _failure(self, error: Exception) -> LiveError:
        """What an error means; of a late answer nothing is left, for the client has given up the connection."""
        return LiveError(f"Live status cannot be written to the Redis at {self.place}: {_cause(error, self._seconds)}.")


def _client(url: str, seconds: float) -> Redis:
    try:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError as error:
        raise ConfigError("live.url names a Redis, which needs its client: pip install 's3tui[cluster]'.") from error
    try:
        client = Redis.from_url(
            url,
            protocol=2,
            socket_timeout=seconds,
            socket_connect_timeout=seconds,
            retry=Retry(NoBackoff(), 0),
            encoding_errors="backslashreplace",  # what is not UTF-8 becomes what JSON makes of it
        )
        client.connection_pool.make_connection()  # not connected: what the URL's query asks for is looked at here
    except (ValueError, TypeError, AttributeError):
        # Neither the URL nor the cause is shown or chained: in what cannot be read, the password may stand anywhere.
        raise unreadable_url() from None
    return client


def _cause(error: Exception, seconds: float) -> str:
    """What went wrong: `Connection refused`, `WRONGPASS ...`, never the command that met it, which has values in it."""
    from redis import TimeoutError as NoAnswer

    if isinstance(error, NoAnswer | TimeoutError):
        return f"there was no answer within {seconds:g} seconds"
    below = error if isinstance(error, OSError) else error.__cause__ or error.__context__
    if isinstance(below, OSError) and below.strerror:
        return display_text(below.strerror)
    text = str(error).rpartition(" of pipeline caused error: ")[2].strip()
    return display_text(masked(text)).rstrip(".") or type(error).__name__
