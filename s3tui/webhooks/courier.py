"""The thread of a worker that tells the webhook what is due.

A notice is claimed, sent, and dropped once it was taken. What was not taken waits, longer each time, and is given up a day after
its job ended. Of several workers one has the claim; a claim whose worker died ends by itself.

Concurrency: one thread, one notice at a time. It looks into the database once a second, and a last time when the worker ends.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from s3tui.errors import StateError, WebhookError
from s3tui.log_context import about
from s3tui.state.webhooks import Notice, Webhooks

if TYPE_CHECKING:
    from s3tui.webhooks.posting import Post

log = logging.getLogger(__name__)

_TICK_SECONDS = 1.0
_FIRST_PAUSE = 5.0
_GROWTH = 3.0
_LONGEST_PAUSE = 3600.0
DAY_SECONDS = 24 * 3600.0
_LEAVING_SECONDS = 1.0
"""How long an attempt that was broken off may take to notice. One that looks for a name does not, and is left behind."""


class Courier:
    """Tells the notices of one database, as part of one worker."""

    def __init__(self, webhooks: Webhooks, post: Post, *, home: str, on_broken: Callable[[StateError], None]) -> None:
        """`home` is the worker's id; `on_broken` hears that the database cannot be used, and nothing more is told."""
        self._webhooks = webhooks
        self._post = post
        self._home = home
        self._on_broken = on_broken
        self._parting = threading.Event()
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
        self.waited = True
        """Whether a notice waited when it last looked, if it has: it comes again, and should find a worker alive."""

    def start(self) -> None:
        """Begin to tell."""
        self._thread.start()

    @property
    def parts(self) -> bool:
        """Whether it has been told to come to an end."""
        return self._parting.is_set()

    def part(self, seconds: float) -> None:
        """Tell what the worker's own jobs have caused and is due, so long at most; the rest is the next worker's. Idempotent."""
        self._parting.set()
        if self._thread.is_alive():
            self._thread.join(seconds)
            self._left.set()
            self._post.break_off()
            self._thread.join(_LEAVING_SECONDS)

    def _run(self) -> None:
        try:
            while not self.parts:
                while not self.parts and self._is_due() and self._tell(self._webhooks.claim()):
                    pass
                self._parting.wait(_TICK_SECONDS)
            while not self._left.is_set() and self._is_due() and self._tell(self._webhooks.claim(home=self._home)):
                pass
        except StateError as error:
            if not self._left.is_set():  # the database may be closed by then
                self._on_broken(error)

    def _is_due(self) -> bool:
        pause = self._webhooks.pause()
        self.waited = pause is not None
        return pause is not None and pause <= 0

    def _tell(self, notice: Notice | None) -> bool:
        """Try to tell it; False if there was none."""
        if notice is None:
            return False
        with about(job=notice.job_id, attempt=notice.attempts):
            try:
                self._post.send(notice.id, notice.body)
            except WebhookError as error:
                self._put_off(notice, error)
            except Exception as error:
                log.exception("Notice %s met a defect of s3tui.", notice.id)
                self._put_off(notice, WebhookError(f"An error of s3tui itself kept it from being told: {type(error).__name__}."))
            else:
                self._webhooks.drop(notice)
                log.info("The webhook at %s has been told (%s).", self._post.place, notice.id)
        return True

    def _put_off(self, notice: Notice, error: WebhookError) -> None:
        if error.gone or notice.age_ms >= DAY_SECONDS * 1000:
            self._webhooks.drop(notice)
            why = "it asks for no more" if error.gone else f"{notice.attempts} attempts in a day were in vain"
            log.warning("%s The end of the job is not told (%s): %s.", error, notice.id, why)
            return
        pause = min(max(pause_after(notice.attempts), error.pause), DAY_SECONDS)
        self._webhooks.put_off(notice, round(pause * 1000))
        log.log(logging.WARNING if notice.attempts == 1 else logging.INFO, "%s The next attempt is in %.0f seconds.", error, pause)


def pause_after(attempts: int) -> float:
    """Seconds until the next attempt: about 5, then longer, up to an hour; never the same, so that many do not come at once."""
    longest: float = min(_FIRST_PAUSE * _GROWTH ** min(attempts - 1, 10), _LONGEST_PAUSE)
    return longest * random.uniform(0.75, 1.25)
