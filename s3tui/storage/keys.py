"""What requests are signed with, and who renews it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from s3tui.errors import CredentialsExpired
from s3tui.storage.verdicts import SIGN_IN


class Keys(NamedTuple):
    """An access key and its secret. Its representation tells neither."""

    access_key: str
    secret: str
    token: str = ""

    def __repr__(self) -> str:
        return f"Keys(...{self.access_key[-4:]})"


class KeyRing(Protocol):
    """Where keys come from. Thread-safe; both calls may block on the network."""

    @property
    def renews(self) -> bool:
        """Whether `current` may give other keys later."""

    def current(self) -> Keys:
        """Keys that are good now, renewed before they end. Raises CredentialsError, StorageError."""

    def renewed(self, worn: Keys) -> Keys:
        """Other keys than these, which the store says have expired. Raises CredentialsExpired if there are none."""


class FixedKeys:
    """Keys that somebody wrote down; nobody renews them."""

    renews = False

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def current(self) -> Keys:
        """See `KeyRing`."""
        return self._keys

    def renewed(self, worn: Keys) -> Keys:
        """See `KeyRing`."""
        raise CredentialsExpired(f"The store says that the access key ...{worn.access_key[-4:]} has expired. {SIGN_IN}")
