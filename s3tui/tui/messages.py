"""What screens and widgets tell each other; small, and about facts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from textual.message import Message

from s3tui.model import Job
from s3tui.tui.commands import Command


class Came(Message):
    """What a thread was asked for has come home; `then` runs on the event loop."""

    def __init__(self, topic: str, then: Callable[[Any], None], value: object) -> None:
        super().__init__()
        self.topic = topic
        self.then = then
        self.value = value


class WentWrong(Message):
    """What a thread was asked for has failed."""

    def __init__(self, topic: str, error: Exception, otherwise: Callable[[Exception], None]) -> None:
        super().__init__()
        self.topic = topic
        self.error = error
        self.otherwise = otherwise


class OpenJob(Message):
    """Show this job: its plan if it is only planned, else its transfers."""

    def __init__(self, job_id: str, *, plan: bool, instead: bool = False) -> None:
        super().__init__()
        self.job_id = job_id
        self.plan = plan
        self.instead = instead
        """Whether the screen that asks gives way."""


class OpenNewJob(Message):
    """Show the form for a new job."""


class OpenCourse(Message):
    """Draw how fast this job was."""

    def __init__(self, job_id: str) -> None:
        super().__init__()
        self.job_id = job_id


class OpenKeys(Message):
    """Show the keys of all screens."""


class OpenFailures(Message):
    """Show what failed of a job, grouped by cause."""

    def __init__(self, job_id: str) -> None:
        super().__init__()
        self.job_id = job_id


class OpenFailedFiles(Message):
    """Show the files of a job that failed for one cause."""

    def __init__(self, job_id: str, reason: str) -> None:
        super().__init__()
        self.job_id = job_id
        self.reason = reason


class OpenRejects(Message):
    """Show the rejected records of a file of an ingest job; None: of all its files."""

    def __init__(self, job_id: str, file_no: int | None) -> None:
        super().__init__()
        self.job_id = job_id
        self.file_no = file_no


class JobsRead(Message):
    """The newest jobs, as they are now."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        super().__init__()
        self.jobs = jobs


class DoCommand(Message):
    """Do what a key of this command would do."""

    def __init__(self, command: Command) -> None:
        super().__init__()
        self.command = command
