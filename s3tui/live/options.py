"""The `live:` section of the configuration."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from s3tui.errors import ConfigError

_SCHEMES = ("redis", "rediss", "unix")


class LiveOptions(BaseModel):
    """Where live status is mirrored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = ""
    """`redis://...`, where live status is mirrored; empty: nowhere."""


def check_url(url: str) -> None:
    """Whether `live.url` leads anywhere, seen without connecting. Raises ConfigError, which repeats nothing that may be secret."""
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in _SCHEMES:
        raise ConfigError(
            f"live.url {f'begins with {scheme!r}' if separator else 'has no scheme'}: "
            "use redis://HOST:6379, or rediss://HOST:6379 for TLS."
        )
    try:
        parts = urlsplit(url)
        _ = parts.port
        database = parts.path.strip("/")
    except ValueError:
        raise unreadable_url() from None
    if scheme != "unix" and database and not (database.isascii() and database.isdigit()):
        raise unreadable_url()


def unreadable_url() -> ConfigError:
    """What to say of a URL that cannot be read; the password may stand anywhere in it."""
    return ConfigError(
        "live.url cannot be read: write it as redis://USER:PASSWORD@HOST:PORT/NUMBER, with the special characters of the password "
        "percent-encoded, a number of a database or none, and in its query only parameters that the Redis client knows."
    )
