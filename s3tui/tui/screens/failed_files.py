"""The files of a job that failed for one cause."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from s3tui.model import FileChoice, Order, View
from s3tui.tui.commands import Where, bindings
from s3tui.tui.door import House, Sight
from s3tui.tui.screens.retrying import RetryingPage
from s3tui.tui.widgets.cause_table import cause_word
from s3tui.tui.widgets.summary import Choice


class FailedFilesPage(RetryingPage):
    """One group of the failures, file by file."""

    PLACES: ClassVar[tuple[Where, ...]] = (Where.FAILED, Where.LIST)
    SECTION = "Failures"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.FAILED)]
    VIEWS: ClassVar[dict[View, str]] = {View.FAILED: "Failed"}
    ORDERS: ClassVar[tuple[Order, ...]] = (Order.NUMBER, Order.PATH, Order.SIZE, Order.TRIES)

    def __init__(self, house: House, job_id: str, fps: float, reason: str) -> None:
        super().__init__(house, job_id, fps)
        self.reason = reason
        self.choice = FileChoice(View.FAILED, reason=reason)
        self.summary.display = False
        self.table.of_failures = True

    def choices(self, sight: Sight) -> Sequence[Choice]:  # noqa: ARG002 - the list itself is the group
        """The one group, and how many files its list holds."""
        return [Choice("✗", View.FAILED.value, cause_word(self.reason), self.table.count, alarms=True)]

    def nothing(self) -> str:
        """What an empty table says."""
        return super().nothing() if self.choice.containing else "Nothing failed for this cause any more."

    def action_retry_group(self) -> None:
        """Send all that failed for this cause again."""
        self.retry(reason=self.reason)
