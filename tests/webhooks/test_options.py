"""Webhooks that cannot be used."""

from __future__ import annotations

import pytest
from pydantic import SecretStr, ValidationError

from s3tui.errors import ConfigError
from s3tui.webhooks.options import WebhookOptions

SECRET = SecretStr("correct horse")


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://a.test", "a.test/hook", "https://", "https:///hook", "http://a.test:99999/", "http://a.test:0", "http://[::1"),
        *("https://me:hunter2@a.test/", "https://hunter2@a.test/", "https://a.test/a b", "https://a.test/\n", "https://ä.test/"),
    ],
)
def test_what_is_no_url_of_a_webhook_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        WebhookOptions(url=url, secret=SECRET)


@pytest.mark.parametrize(
    "url", ["https://a.test", "http://a.test:8080/hook?x=1", "https://[2606:4700::1111]/", "https://xn--4ca.test/"]
)
def test_what_is_one_is_set_with_a_secret_only(url: str) -> None:
    assert WebhookOptions(url=url, secret=SECRET).is_set
    with pytest.raises(ConfigError, match=r"webhook\.secret is not"):
        _ = WebhookOptions(url=url).is_set


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "10.0.0.7:8080", "[::ffff:169.254.169.254]"])
def test_an_address_that_is_not_public_must_be_allowed(host: str) -> None:
    with pytest.raises(ConfigError, match=r"set webhook\.allow_private"):
        _ = WebhookOptions(url=f"http://{host}/", secret=SECRET).is_set
    assert WebhookOptions(url=f"http://{host}/", secret=SECRET, allow_private=True).is_set


def test_without_a_url_there_is_none() -> None:
    assert not WebhookOptions().is_set
    assert not WebhookOptions(secret=SECRET).is_set
