"""Signatures, against vectors that others made: the specification's own, and OpenSSL's."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from s3tui.webhooks.signing import key_of, signed_headers


@pytest.mark.parametrize(
    ("secret", "notice", "timestamp", "body", "signature"),
    [
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1614265330,
            b'{"test": 2432232314}',
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
        ("correct horse", "msg_1", 1700000000, b"{}", "v1,YJ9SptL+lQ6qKUaYSKjkoLTpLJrzhTsqsOTQUGpM31w="),
        ("pässwörd", "msg_1", 1700000000, b"{}", "v1,kad3cyaY7IuQMq/L2ps5TasXc+U1IhAnbRQMDtk8qfQ="),
    ],
    ids=["specification", "text", "utf-8"],
)
def test_a_signature_is_what_others_make_of_the_same(secret: str, notice: str, timestamp: int, body: bytes, signature: str) -> None:
    assert signed_headers(key_of(secret), notice, timestamp, body) == {
        "webhook-id": notice,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature,
    }


@pytest.mark.parametrize("text", ["AAEC/w==", "AAEC/w"])
def test_base64_is_read_with_its_padding_and_without(text: str) -> None:
    assert key_of(f"whsec_{text}") == b"\x00\x01\x02\xff"


@pytest.mark.parametrize("text", ["", "hunter2!", "AAEC\n/w==", "A"])
def test_what_is_not_base64_is_refused_without_being_told(text: str) -> None:
    with pytest.raises(ValueError, match="not base64") as refused:
        key_of(f"whsec_{text}")
    assert not text or text not in str(refused.value)


@pytest.mark.parametrize("secret", ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "pässwörd"])
def test_the_receiver_of_the_documentation_takes_ours_and_nothing_else(secret: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
    [program] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    receiver: dict[str, Any] = {}
    exec(program, receiver)
    now = int(time.time())
    headers = signed_headers(key_of(secret), "msg_1", now, b"{}")
    assert receiver["verified"](headers, b"{}", secret)
    assert not receiver["verified"](headers, b"{ }", secret)
    assert not receiver["verified"](headers | {"webhook-id": "msg_2"}, b"{}", secret)
    assert not receiver["verified"](headers, b"{}", secret[:-1] + "x")
    assert not receiver["verified"](signed_headers(key_of(secret), "msg_1", now - 3600, b"{}"), b"{}", secret)
