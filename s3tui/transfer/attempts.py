"""One file, attempt after attempt, until it is stored or given up. For engines that give a file a thread of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable

from s3tui.errors import Cancelled, ObjectExists, S3tuiError
from s3tui.events import Fact, Failed, Skipped, Uploaded
from s3tui.log_context import about
from s3tui.masking import masked
from s3tui.model import Policy, Receipt, Transfer
from s3tui.text import display_text
from s3tui.transfer.engine import Control
from s3tui.transfer.patience import Tries
from s3tui.transfer.streaks import Streaks

_log = logging.getLogger(__name__)

_REST_SECONDS = 0.5
"""How long a rest lasts before people's wishes are asked for again."""

Attempt = Callable[[int, Tries], Receipt]
"""Makes the attempt with this number. Raises S3tuiError; Cancelled if nothing shall become of it."""


def outcome_of(
    transfer: Transfer, policy: Policy, control: Control, streaks: Streaks, attempt: Attempt, stopped: Callable[[], bool]
) -> Fact | S3tuiError | None:
    """The fact that a transfer ends in; an error that concerns all files; None if the transfer is planned still.

    `stopped`: whether the run admits no more attempts.
    """
    tries = Tries(policy.max_attempts, transfer.attempts)
    try:
        return _attempts(transfer, tries, policy, control, streaks, attempt, stopped)
    except Cancelled:
        return None
    except S3tuiError as error:
        if streaks.concerns_all(error):
            return error
        return Failed(transfer.no, tries.total, error.reason, str(error))
    except Exception as error:
        with about(file=transfer.path, attempt=tries.total, code="internal_error"):
            _log.exception("A transfer failed for a reason that is a defect of s3tui.")
        cause = display_text(masked(repr(error)))
        sentence = f"{display_text(transfer.path)} could not be sent, and the reason ({cause}) is a defect of s3tui. Report it."
        return Failed(transfer.no, tries.total, "internal_error", sentence)


def _attempts(
    transfer: Transfer,
    tries: Tries,
    policy: Policy,
    control: Control,
    streaks: Streaks,
    attempt: Attempt,
    stopped: Callable[[], bool],
) -> Fact | None:
    successes = streaks.successes
    while True:
        number = tries.begin()
        try:
            receipt = attempt(number, tries)
        except Cancelled:
            raise
        except ObjectExists:
            if policy.if_exists == "skip":
                return Skipped(transfer.no, number, ObjectExists.reason)
            raise
        except S3tuiError as error:
            delay = tries.rest_after(error, others_succeed=streaks.successes > successes)
            successes = streaks.successes
            if delay is None:
                raise
            with about(file=transfer.path, attempt=number, code=error.reason):
                _log.debug("Once more in %.1f s: %s", delay, error)
            if not _rest(control, delay, stopped):
                return None
        else:
            streaks.succeeded()
            return Uploaded(transfer.no, number, receipt)


def _rest(control: Control, seconds: float, stopped: Callable[[], bool]) -> bool:
    """Sleep before another attempt; False if there shall be none."""
    while seconds > 0 and not stopped():
        if not control.rest(min(seconds, _REST_SECONDS)):
            return False
        seconds -= _REST_SECONDS
    return not stopped()
