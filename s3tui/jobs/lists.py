"""The lists of `--files-from`, in the state directory: kept for a job, and gone when its plan is whole."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING

from s3tui.state.options import state_directory
from s3tui.transfer import file_list
from s3tui.transfer.file_list import FileList

if TYPE_CHECKING:
    from s3tui.model import Job
    from s3tui.state.store import Store
    from s3tui.transfer.choice import Choice


def keep_list(stream: IO[bytes], separator: bytes, source: bytes) -> str:
    """Keep a list of files below a source, and return its name for `Choice.files_from`. Raises SpecError, OSError."""
    return file_list.keep_list(stream, separator, source, _directory())


def open_list(choice: Choice) -> FileList | None:
    """The list that a choice names, if it names one. Raises SpecError when this machine does not have it."""
    return FileList(_directory(), choice.files_from) if choice.files_from else None


def has_list(choice: Choice) -> bool:
    """Whether this machine has the list that a choice names."""
    return (_directory() / choice.files_from).exists()


def forget_list(files: FileList, job: Job, store: Store) -> None:
    """Delete the list of a job whose plan is whole, unless another job has still to be planned by it."""
    if not store.jobs.another_to_plan(job.no, files.name):
        files.forget()


def _directory() -> Path:
    return state_directory() / "lists"
