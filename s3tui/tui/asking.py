"""Questions that may block are asked in a thread, and the answer comes home as one message."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from textual.dom import DOMNode
from textual.message_pump import MessagePump

from s3tui.tui.messages import Came, WentWrong

T = TypeVar("T")


class Asking(MessagePump):
    """For widgets, screens and the application: one question per topic at a time."""

    _topics: dict[str, float]
    """When each question that is out was asked."""

    def ask(
        self, topic: str, question: Callable[[], T], then: Callable[[T], None], otherwise: Callable[[Exception], None] | None = None
    ) -> bool:
        """Run `question` in a thread, then `then` with its answer on the event loop.

        Returns False, and asks nothing, while a question of the same topic is out. A failure goes to `otherwise`, or to `failed`.
        """
        assert isinstance(self, DOMNode)
        if not hasattr(self, "_topics"):
            self._topics = {}
        if topic in self._topics:
            return False
        self._topics[topic] = time.monotonic()

        def run() -> None:
            try:
                answer = question()
            except Exception as error:  # whatever goes wrong in a thread is told on the screen, it must not end the program
                self.post_message(WentWrong(topic, error, otherwise or self.failed))
            else:
                self.post_message(Came(topic, then, answer))

        self.run_worker(run, thread=True, exit_on_error=False, name=topic)
        return True

    def asking(self, topic: str) -> bool:
        """Whether a question of this topic is out."""
        return topic in getattr(self, "_topics", ())

    def waiting(self, topic: str) -> float:
        """For how many seconds a question of this topic has been out; 0 if there is none."""
        asked = getattr(self, "_topics", {}).get(topic)
        return 0.0 if asked is None else time.monotonic() - asked

    def failed(self, error: Exception) -> None:
        """What to do about a failure that the question had no answer for."""
        raise error

    def on_came(self, message: Came) -> None:
        """An answer has come home."""
        message.stop()
        self._topics.pop(message.topic, None)
        message.then(message.value)

    def on_went_wrong(self, message: WentWrong) -> None:
        """A failure has come home."""
        message.stop()
        self._topics.pop(message.topic, None)
        message.otherwise(message.error)
