"""Everything that can go wrong, as one tree.

    S3tuiError                    `reason` is a stable word, `str()` a whole sentence
    ├── ConfigError               settings that cannot be used
    ├── SpecError                 arguments of a job that cannot be used
    ├── NotFound                  no such job or file row
    ├── Conflict                  the job's state does not allow what was asked
    ├── StateError                the state database cannot be read or written
    │   └── StateLost             its server went away, and may come back
    ├── QueueError                the queue cannot be reached
    ├── SourceError               a local file that cannot be read
    │   ├── SourceChanged
    │   ├── SourceDenied
    │   ├── SourceVanished
    │   ├── NotAFile
    │   ├── SourceTooLarge
    │   ├── SourceUnseen
    │   └── SourceKept
    ├── StorageError              S3 said no, or said nothing
    │   ├── AccessDenied
    │   ├── BucketNotFound
    │   ├── CredentialsError
    │   │   └── CredentialsExpired
    │   ├── EndpointUnreachable
    │   ├── NotIdentical
    │   ├── ObjectExists
    │   ├── Throttled
    │   └── Unproven
    ├── TranscodeError            a video that cannot be made
    ├── TableError                a CSV file that cannot be read as one
    ├── WebhookError              a webhook that was not told of a job's end
    ├── LiveError                 a Redis that does not take live status
    ├── LeaseLost                 another worker owns the unit now
    └── Cancelled                 a person asked to stop

A message names the operation, the file or bucket, the cause and the next step. Foreign exceptions are translated once, at the
door of the room that talks to the foreign library.
"""

from __future__ import annotations


class S3tuiError(Exception):
    """Root of the tree. `reason` is the stable word that reports carry."""

    reason = "error"
    retryable = False
    """Whether the same request may succeed when it is sent again."""
    fatal = False
    """Whether every other file of the job would fail in the same way."""


class ConfigError(S3tuiError):
    """Settings that cannot be used: malformed YAML, unknown keys, wrong values."""

    reason = "config"
    fatal = True


class SpecError(S3tuiError):
    """Arguments of a job that cannot be used: no such source, a malformed target."""

    reason = "bad_arguments"
    fatal = True


class NotFound(S3tuiError):
    """No such job, or no such file in it."""

    reason = "not_found"


class Conflict(S3tuiError):
    """The job is in a state in which this cannot be done."""

    reason = "conflict"


class StateError(S3tuiError):
    """The state database cannot be opened, read or written."""

    reason = "state"
    fatal = True


class StateLost(StateError):
    """The server of the state database broke the connection off, or cannot be reached: it may be back in a moment."""

    reason = "state_lost"


class QueueError(S3tuiError):
    """The queue cannot be reached or used."""

    reason = "queue"
    fatal = True


class SourceError(S3tuiError):
    """A local file that cannot be read as it should be."""

    reason = "unreadable"


class SourceChanged(SourceError):
    """The file changed while it was being read; nothing was stored."""

    reason = "changed_while_reading"
    retryable = True


class SourceDenied(SourceError):
    """The operating system does not let us read the file."""

    reason = "permission_denied"


class SourceVanished(SourceError):
    """The file was there when it was planned and is gone now."""

    reason = "source_vanished"


class NotAFile(SourceError):
    """The path is a directory, link, FIFO, socket or device by now."""

    reason = "not_a_file"


class SourceTooLarge(SourceError):
    """No object of S3 is as large as the file."""

    reason = "too_large"


class SourceUnseen(SourceError):
    """This machine does not see the sources of a job, though others may; the message is the middle of a sentence."""

    reason = "source_unseen"


class SourceKept(SourceError):
    """A source that was to be deleted, and is not; `reason` says which doubt keeps it."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class StorageError(S3tuiError):
    """S3 refused a request, or gave no usable answer.

    `code` is the S3 error code ("SlowDown"), or the name of the network failure; `status` the HTTP status, 0 without an answer.
    `used_up`: the same request might succeed some day, but has been sent as often as it may be now.
    """

    reason = "storage"

    def __init__(self, message: str, *, code: str = "", status: int = 0, reason: str = "", retryable: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.retryable = retryable
        self.used_up = False
        if reason:
            self.reason = reason


class AccessDenied(StorageError):
    """These credentials may not do this; others of the job's files may still be allowed."""

    reason = "access_denied"


class BucketNotFound(StorageError):
    """There is no such bucket."""

    reason = "no_such_bucket"
    fatal = True


class CredentialsError(StorageError):
    """No credentials, wrong ones, or expired ones."""

    reason = "credentials"
    fatal = True


class CredentialsExpired(CredentialsError):
    """The credentials were good once, and could not be renewed: with new ones the job can go on, so it waits."""

    reason = "credentials_expired"


class EndpointUnreachable(StorageError):
    """Nothing answers at the endpoint: name, route, port or TLS."""

    reason = "endpoint_unreachable"


class NotIdentical(StorageError):
    """What is stored under the key is not what was sent."""

    reason = "not_identical"


class ObjectExists(StorageError):
    """The key is taken, and the job must not overwrite."""

    reason = "exists"


class Throttled(StorageError):
    """The store asks for fewer requests (SlowDown, 429, 503)."""

    reason = "throttled"


class Unproven(StorageError):
    """An object was stored, and the store gives no proof of its bytes."""

    reason = "unproven"


class TranscodeError(S3tuiError):
    """A video that cannot be made, or was not made as planned; `reason` says why."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class TableError(S3tuiError):
    """A CSV file that cannot be read as one, or not to its end; `reason` says why."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class WebhookError(S3tuiError):
    """The webhook was not reached, or did not take a notice.

    `gone`: it asks for no more. `pause`: the seconds it asks us to wait.
    """

    reason = "webhook"

    def __init__(self, message: str, *, gone: bool = False, pause: float = 0.0) -> None:
        super().__init__(message)
        self.gone = gone
        self.pause = pause


class LiveError(S3tuiError):
    """The Redis that mirrors live status was not reached, or did not take what was written."""

    reason = "live"


class LeaseLost(S3tuiError):
    """Another worker owns the unit now; whatever this one still holds must not be written."""

    reason = "lease_lost"


class Cancelled(S3tuiError):
    """The job was cancelled, or the process was asked to stop."""

    reason = "cancelled"
