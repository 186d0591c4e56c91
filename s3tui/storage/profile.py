"""What a store was found to check and to bear, and what follows for how to speak to it."""

from __future__ import annotations

import json
from typing import NamedTuple, Protocol

from s3tui.storage.site import Site


class Profile(NamedTuple):
    """What one endpoint does with what it is sent, as far as a probe can show."""

    takes_checksums: bool = True
    """Whether it bears `x-amz-checksum-` headers at all."""
    checks: tuple[str, ...] = ()
    """Algorithms for which it refuses bytes that do not fit the header."""
    checks_signature: bool = False
    """Whether it refuses bytes that do not fit the signed hash of the body."""
    checks_md5: bool = False
    """Whether it refuses bytes that do not fit Content-MD5."""
    takes_unsigned: bool = False
    """Whether it takes bodies that the signature does not cover."""
    takes_trailers: bool = False
    """Whether it decodes `aws-chunked` bodies; else it may store the framing. Our own engine sends none."""
    keeps_conditions: bool = False
    """Whether it refuses a write whose condition does not hold."""

    def proof(self, checksum: str) -> str:
        """The strongest proof of the bytes that it gives: `checksum`, `signature`, `md5`, or `` for none."""
        if self.takes_checksums and checksum in self.checks:
            return "checksum"
        return "signature" if self.checks_signature else "md5" if self.checks_md5 else ""

    def proves(self, checksum: str) -> bool:
        """Whether its answer alone proves the bytes."""
        return self.proof(checksum) in ("checksum", "signature")

    def describe(self, checksum: str) -> str:
        """The same for people."""
        others = [name for name in self.checks if name != checksum]
        hint = f"; it would check --checksum {others[0]}" if others and checksum not in self.checks else ""
        return {
            "checksum": f"it checks the {checksum} of what it receives",
            "signature": "it checks the signed SHA-256 of what it receives, not the checksum",
            "md5": "it checks the Content-MD5 of what it receives, not the checksum",
            "": "it does not check what it receives",
        }[self.proof(checksum)] + hint


class Profiles(Protocol):
    """Where profiles are kept, as JSON by endpoint."""

    def get(self, endpoint: str) -> str | None:
        """What was put down; None if nothing was."""

    def put(self, endpoint: str, profile: str) -> None:
        """Put down, in place of what was there before."""


AMAZON = Profile(
    checks=("crc64nvme", "crc32", "crc32c", "sha256"),
    checks_signature=True,
    checks_md5=True,
    takes_unsigned=True,
    takes_trailers=True,
    keeps_conditions=True,
)


def is_amazon(site: Site) -> bool:
    """Whether it is Amazon S3 itself, which needs no probe."""
    return site.host.endswith(".amazonaws.com")


def signs_bodies(site: Site, profile: Profile | None, checksum: str) -> bool:
    """Whether the signature has to cover bodies; while nothing is known of a store, it does.

    Over plain http to another machine it always does: somebody on the way could change the body and its checksum alike.
    """
    if profile is None or not profile.takes_unsigned:
        return True
    if not site.tls and not site.local:
        return True
    return profile.proof(checksum) == "signature"


def packed(profile: Profile) -> str:
    """As JSON, for the state database."""
    return json.dumps(profile._asdict())


def unpacked(text: str) -> Profile | None:
    """From JSON; None if another version wrote it."""
    fields = json.loads(text)
    if not isinstance(fields, dict) or fields.keys() != set(Profile._fields):
        return None
    return Profile(**{**fields, "checks": tuple(fields["checks"])})
