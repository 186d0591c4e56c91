"""Where we stand with the store: its place, its region, its clock, our keys. What a refusal teaches is learnt here."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from s3tui.storage.keys import Keys
from s3tui.storage.site import Address, Site
from s3tui.storage.verdicts import Said
from s3tui.transfer.wire.answers import Answer
from s3tui.transfer.wire.errands import Errand
from s3tui.transfer.wire.sigv4 import Signer

_MAX_HOPS = 3
_SKEW_SECONDS = 300.0
"""Stores bear 15 minutes; what is less than this is not why a request was refused."""

WORN = frozenset(("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"))
"""What a store says of keys that were good once."""


class Bearings:
    """Site and signer, as far as they are known. Not thread-safe."""

    def __init__(self, site: Site, keys: Keys) -> None:
        self.site = site
        self.signer = Signer(keys, site.region)
        self._addresses: dict[str, Address] = {}

    def take_keys(self, keys: Keys) -> None:
        """Sign with these from now on."""
        self._sign_anew(keys, self.site.region)

    def address(self, errand: Errand) -> Address:
        """Where an errand goes."""
        address = self._addresses.get(errand.bucket)
        if address is None:
            address = self._addresses[errand.bucket] = self.site.address(errand.bucket)
        if not errand.host:
            return address
        in_host = errand.host.startswith(f"{errand.bucket}.")
        root = f"{self.site.base}/" if in_host else f"{self.site.base}/{errand.bucket}/"
        return address._replace(host=errand.host, host_header=self.site._replace(host=errand.host).authority, root=root)

    def learn(self, errand: Errand, answer: Answer, said: Said) -> bool:
        """Whether the refusal taught us something, so that the errand should be sent again at once."""
        if answer.status in (400, 403) and self._set_clock(errand, answer):
            return True
        if answer.status == 307:
            return self._follow(errand, answer.headers.get("location", ""))
        if said.region and (answer.status in (301, 400)) and said.code != "NoSuchBucket":
            return self._move(errand, said.region)
        return False

    def _set_clock(self, errand: Errand, answer: Answer) -> bool:
        """Go by the store's clock if ours differs by so much that it may be the cause, whatever the store calls it.

        Once for each errand: a clock that is right and refused all the same will stay so.
        """
        from email.utils import parsedate_to_datetime

        try:
            theirs = parsedate_to_datetime(answer.headers["date"]).timestamp()
        except (KeyError, ValueError):
            return False
        skew = theirs - time.time()
        if errand.was_skewed or abs(skew - self.signer.skew) < _SKEW_SECONDS:
            return False
        errand.was_skewed = True
        self.signer.skew = skew
        return True

    def _follow(self, errand: Errand, location: str) -> bool:
        """Send to another host of the same store, the same way. Our signature is for nobody else's eyes."""
        place = urlsplit(location)
        host = place.hostname or ""
        scheme = "https" if self.site.tls else "http"
        port = place.port or (443 if self.site.tls else 80)
        if errand.hops >= _MAX_HOPS or place.scheme != scheme or port != self.site.port or not self._same_store(host):
            return False
        errand.hops += 1
        errand.host = host
        return True

    def _same_store(self, host: str) -> bool:
        if self.site.host.endswith(".amazonaws.com"):
            return host.endswith(".amazonaws.com")
        return host == self.site.host or host.endswith(f".{self.site.host}")

    def _move(self, errand: Errand, region: str) -> bool:
        """The bucket is in another region: everything goes there from now on, not only this errand."""
        if errand.hops >= _MAX_HOPS or not region.replace("-", "").isalnum():
            return False
        errand.hops += 1
        errand.host = ""
        if region != self.site.region:
            self.site = self.site.in_region(region)
            self._addresses.clear()
            self._sign_anew(self.signer.keys, region)
        return True

    def _sign_anew(self, keys: Keys, region: str) -> None:
        skew = self.signer.skew
        self.signer = Signer(keys, region)
        self.signer.skew = skew
