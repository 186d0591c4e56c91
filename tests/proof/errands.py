"""The commands of the kill matrix: each small, of one kind, and with all that its kind does."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.media.clips import Clips
from tests.transfer.rides import MIB, filled

SMALL = {"a/1": b"one", "a/new line \x1b": b"two" * 999, "b/empty": b"", "z": b"last"}
EXACT, TAILED = 20 * MIB, 16 * MIB + 5
"""A multiple of the part size, and one with a short last part."""
ROWS = 70


@dataclass(frozen=True)
class Errand:
    """What is asked for in one command."""

    name: str
    words: tuple[str, ...]
    lay_out: Callable[[Path], None]
    """Writes the sources into the working directory."""
    found: int
    """Entries that the report has."""
    environment: dict[str, str] = field(default_factory=dict)
    deletes: bool = False

    @property
    def makes_copies(self) -> bool:
        """Whether its objects are the files below `tree`, byte for byte."""
        return "tree" in self.words


def errands(clips: Clips) -> dict[str, Errand]:
    """All of them, by name."""
    large = {"exact": filled(EXACT), "tailed": filled(TAILED)}
    transfer = ("--concurrency", "2", "--part-size", "5MiB")
    backup = ("backup", "tree", *transfer, "--delete-after-upload")
    video = ("video", "film.mp4", "--preset", "ultrafast", "--segment-seconds", "1", "--ladder", "180,120")

    def film(work: Path) -> None:
        shutil.copyfile(clips["plain.mp4"], work / "film.mp4")

    all_of_them = (
        Errand("upload", ("upload", "tree", *transfer), tree_of(SMALL), len(SMALL)),
        Errand("multipart", ("upload", "tree", *transfer), tree_of(large), len(large)),
        Errand("backup", backup, tree_of(SMALL | {"b/large": large["tailed"]}), len(SMALL) + 1, deletes=True),
        Errand("video", video, film, 1),
        Errand("ingest", ("ingest", "rows.csv"), _table, 1, {"S3TUI_INGEST__BATCH_ROWS": "20"}),
    )
    return {errand.name: errand for errand in all_of_them}


def tree_of(contents: dict[str, bytes]) -> Callable[[Path], None]:
    """Writes these files below `tree`."""

    def lay_out(work: Path) -> None:
        for name, data in contents.items():
            path = work / "tree" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    return lay_out


def _table(work: Path) -> None:
    (work / "rows.csv").write_text("id,name\n" + "".join(f"{number},name {number}\n" for number in range(1, ROWS + 1)))
