"""How to speak to a store: what its profile says, as the crew goes by it, and finding the profile if nobody knows it yet."""

from __future__ import annotations

import json
import logging
import threading
from contextlib import suppress

from s3tui.errors import S3tuiError
from s3tui.model import ObjectRef
from s3tui.storage.profile import AMAZON, Profile, Profiles, is_amazon, packed, signs_bodies, unpacked
from s3tui.storage.site import Site
from s3tui.transfer.checksums import ALGORITHMS
from s3tui.transfer.wire.office import Office
from s3tui.transfer.wire.orders import Conduct
from s3tui.transfer.wire.probe import clean_up, new_probe, probe

_log = logging.getLogger(__name__)

_PROBING = "probing"
"""In the place of a profile: the bucket and key of a probe that has begun. If it is still there later, the probe was killed."""


def conduct_for(site: Site, profile: Profile | None) -> Conduct:
    """The conduct that a profile calls for; None: nothing is known."""
    if profile is None:
        return Conduct(signed=tuple(ALGORITHMS))
    signed = tuple(name for name in ALGORITHMS if signs_bodies(site, profile, name))
    md5 = tuple(name for name in ALGORITHMS if profile.proof(name) == "md5")
    return Conduct(signed, md5, profile.takes_checksums)


def known_profile(site: Site, profiles: Profiles) -> Profile | None:
    """What is known of a store without asking it."""
    if is_amazon(site):
        return AMAZON
    text = profiles.get(site.endpoint)
    return unpacked(text) if text else None


class Acquaintance:
    """Gets to know a store, once, beside the work; meanwhile the work goes by what is always right."""

    def __init__(self, office: Office, profiles: Profiles, bucket: str, prefix: str) -> None:
        self._office = office
        self._profiles = profiles
        self._target = new_probe(bucket, prefix)
        self._thread = threading.Thread(target=self._make, name="probe", daemon=True)
        self._begun = threading.Lock()
        self.profile: Profile | None = None
        """What was found out."""

    def begin(self) -> None:
        """Ask the store, in a thread; the first call counts."""
        if self._begun.acquire(blocking=False):
            self._thread.start()

    def end(self, seconds: float) -> None:
        """Wait for the answers, so long at most, if the store is being asked."""
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _make(self) -> None:
        endpoint = self._office.site.endpoint
        try:
            if left := _left_over(self._profiles.get(endpoint)):
                clean_up(self._office, left)
            self._profiles.put(endpoint, json.dumps({_PROBING: [self._target.bucket, self._target.key]}))
            profile = probe(self._office, self._target)
            self._profiles.put(endpoint, packed(profile))
            self.profile = profile
            self._office.take_conduct(conduct_for(self._office.site, profile))
            _log.info("%s is known now: %s", endpoint, profile)
        except S3tuiError as error:
            _log.info("%s cannot be asked what it checks: %s", endpoint, error)
            with suppress(
                S3tuiError
            ):  # an answer that was lost may have left something; if that is lost, too, the next probe looks
                clean_up(self._office, self._target)


def _left_over(text: str | None) -> ObjectRef | None:
    """The key of a probe that was killed."""
    fields = json.loads(text) if text else {}
    return ObjectRef(*fields[_PROBING]) if _PROBING in fields else None
