"""The `webhook:` section of the configuration."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from s3tui.errors import ConfigError
from s3tui.webhooks.addresses import is_public
from s3tui.webhooks.signing import key_of


class WebhookOptions(BaseModel):
    """Whom to tell of each job that has ended."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = ""
    """Where notices are posted: http or https; empty: nowhere."""
    secret: SecretStr = SecretStr("")
    """What they are signed with: `whsec_` and base64, or any text."""
    allow_private: bool = False
    """Whether the URL may lead to this machine or a private network."""

    @field_validator("url")
    @classmethod
    def _is_a_url(cls, value: str) -> str:
        if value:
            _check_url(value)
        return value

    @field_validator("secret")
    @classmethod
    def _is_a_key(cls, value: SecretStr) -> SecretStr:
        key_of(value.get_secret_value())
        return value

    @property
    def is_set(self) -> bool:
        """Whether there is a webhook. Raises ConfigError for one that must not be told."""
        if self.url:
            self.check()
        return bool(self.url)

    def check(self) -> None:
        """Raises ConfigError for a webhook that must not be told."""
        if not self.secret.get_secret_value():
            raise ConfigError(
                "webhook.url is set, but webhook.secret is not, and what is sent must be signed: set both, or neither."
            )
        host = urlsplit(self.url).hostname or ""
        if not self.allow_private and is_public(host) is False:
            raise ConfigError(
                f"webhook.url leads to {host}, which is no address of the public internet: "
                "set webhook.allow_private if it is the one you mean."
            )


def _check_url(url: str) -> None:
    """Raises ValueError."""
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("a URL has no blanks, and only ASCII: other characters are percent-encoded, a host name begins with xn--")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("a webhook's URL starts with http:// or https:// and a host")
    if "@" in parts.netloc:
        raise ValueError("a webhook's URL has no user and no password in it; the signature says who we are")
    if parts.port == 0:
        raise ValueError("port 0 is none")
