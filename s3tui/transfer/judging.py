"""What becomes of one entry of a source: a row of the plan, by what its name and a stat say."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass

from s3tui.events import Planned
from s3tui.model import FileState, Fingerprint
from s3tui.text import display_text
from s3tui.transfer.naming import key_for
from s3tui.transfer.sieve import Sieve
from s3tui.transfer.unreadable import cause_and_remedy

ROOT = b"."
"""The path of the row that says a SOURCE itself could not be read."""

_UNKNOWN = Fingerprint(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges the entries of one source. Paths are relative to it; those of directories end in a slash."""

    no: int
    source: bytes
    prefix: str
    sieve: Sieve
    follow: bool
    encode_names: str

    def entry(self, relative: bytes, status: os.stat_result, *, excluded: bool) -> Planned:
        """A row for what a stat, of the name itself, has shown."""
        if self.follow and stat.S_ISLNK(status.st_mode):
            return self._linked(relative, status, excluded=excluded)
        return self._target(relative, status, excluded=excluded)

    def unreadable(self, relative: bytes, error: OSError, *, excluded: bool) -> Planned:
        """A row for what even a stat could not reach."""
        if excluded:
            return self.skipped(relative, "excluded")
        sentence = f"{_shown(relative)} cannot be read: {cause_and_remedy(error)}"
        return self.failed(relative, _reason(error), sentence)

    def unreadable_directory(self, relative: bytes, error: OSError) -> Planned:
        """One row for all that may lie below a directory."""
        if self.sieve.excludes_all_below(relative.rstrip(b"/")):
            return self.pruned(relative)
        sentence = f"The directory {_shown(relative)} cannot be listed, its contents are unknown: {cause_and_remedy(error)}"
        return self.hopeless(relative, _reason(error), sentence)

    def unreadable_source(self, error: OSError) -> Planned:
        """The one row of a source of which nothing is known."""
        shown = display_text(self.source)
        sentence = f"The source {shown} cannot be read, its contents are unknown: {cause_and_remedy(error)}"
        return self.hopeless(ROOT, _reason(error), sentence)

    def pruned(self, relative: bytes) -> Planned:
        """One row for a directory that is left out as a whole."""
        return Planned(self.no, relative, None, _UNKNOWN, FileState.SKIPPED, "excluded")

    def skipped(self, relative: bytes, reason: str, fingerprint: Fingerprint = _UNKNOWN) -> Planned:
        """A row for what is left alone."""
        return Planned(self.no, relative, self._key(relative), fingerprint, FileState.SKIPPED, reason)

    def failed(self, relative: bytes, reason: str, error: str, fingerprint: Fingerprint = _UNKNOWN) -> Planned:
        """A row for what should be sent and cannot be."""
        return Planned(self.no, relative, self._key(relative), fingerprint, FileState.FAILED, reason, error)

    def hopeless(self, relative: bytes, reason: str, error: str) -> Planned:
        """A row for what could never be an object."""
        return Planned(self.no, relative, None, _UNKNOWN, FileState.FAILED, reason, error)

    def _linked(self, relative: bytes, link: os.stat_result, *, excluded: bool) -> Planned:
        """A row for a link that is not a directory to descend into."""
        try:
            status = os.stat(os.path.join(self.source, relative))  # noqa: PTH116, PTH118 - paths are bytes
        except OSError as error:
            if not excluded and error.errno == errno.ELOOP:
                return self.failed(relative, "symlink_loop", _loop(relative), Fingerprint.of(link))
            if not excluded and error.errno in (errno.ENOENT, errno.ENOTDIR):
                error_text = f"The link {_shown(relative)} points to nothing. Remove it, or restore what it points to."
                return self.failed(relative, "dangling_link", error_text, Fingerprint.of(link))
            return self.unreadable(relative, error, excluded=excluded)
        if stat.S_ISDIR(status.st_mode) and not excluded:
            return self.failed(relative, "symlink_loop", _loop(relative), Fingerprint.of(link))
        return self._target(relative, status, excluded=excluded)

    def _target(self, relative: bytes, status: os.stat_result, *, excluded: bool) -> Planned:
        fingerprint = Fingerprint.of(status)
        if excluded:
            return self.skipped(relative, "excluded", fingerprint)
        if not stat.S_ISREG(status.st_mode):
            return self.skipped(relative, "not_a_file", fingerprint)
        if self.sieve.limits is not None and (limit := self.sieve.limits(status)) is not None:
            return self.skipped(relative, limit, fingerprint)
        key = key_for(relative, self.prefix, self.encode_names)
        if isinstance(key, str):
            return Planned(self.no, relative, key, fingerprint)
        return Planned(self.no, relative, None, fingerprint, FileState.FAILED, key.reason, key.error)

    def _key(self, relative: bytes) -> str | None:
        key = key_for(relative, self.prefix, self.encode_names)
        return key if isinstance(key, str) else None


def _reason(error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        return "permission_denied"
    return "source_vanished" if error.errno in (errno.ENOENT, errno.ENOTDIR) else "unreadable"


def _loop(relative: bytes) -> str:
    return f"The link {_shown(relative)} leads back to a directory it lies in. Remove it, or exclude it."


def _shown(relative: bytes) -> str:
    return display_text(relative.rstrip(b"/"))
