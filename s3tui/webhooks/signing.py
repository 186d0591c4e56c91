"""The signature of a notice, as the Standard Webhooks specification (version 1) has it.

webhook-id          the same at every attempt
webhook-timestamp   seconds since 1970 of this attempt
webhook-signature   v1, and the base64 of HMAC-SHA256 over "id.timestamp.body"
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode

_PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """The bytes to sign with: what `whsec_` has in base64, or the text itself as UTF-8. Raises ValueError, without the secret."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    text = secret.removeprefix(_PREFIX).rstrip("=")
    try:
        key = b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError("what follows whsec_ is not base64; `openssl rand -base64 32` makes a good one")
    return key


def signed_headers(key: bytes, notice_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers."""
    signature = hmac.digest(key, b"%s.%d.%s" % (notice_id.encode("ascii"), timestamp, body), hashlib.sha256)
    return {
        "webhook-id": notice_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{b64encode(signature).decode('ascii')}",
    }
