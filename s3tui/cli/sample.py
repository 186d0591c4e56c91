"""The sample tree of the demo: the same files every time, with what real directories hold and tidy examples do not."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from random import Random

KIB = 1024
MIB = 1024 * KIB

REFUSED = "documents/refused once.pdf"
"""The file whose first upload the demo's endpoint refuses, so that there is something to retry."""

_ODD_NAMES = (
    "-leading-dash.txt",
    "100% sure & more?#.txt",
    "[brackets].txt",
    "[/bold] markup.txt",
    "a name with   many spaces.txt",
    "colour \x1b[31mred\x1b[0m.txt",
    "crème brûlée.txt",
    'it\'s "quoted".txt',
    "plus+sign=equals.txt",
    "right-to-left שלום.txt",
    "tab\there.txt",
    "two.dots..txt",
    "Größe.TXT",
    "東京の写真.txt",
    "📦 parcel 🚀.txt",
    f"{'long' * 50}.txt",
)

_LARGE = (("video/holiday.mov", 10 * MIB), ("video/trailer.mov", 2 * MIB), ("backups/database.dump", 1 * MIB))

_SHELVES = (
    ("photos/2025", "IMG_{:04}.jpg", 60, 90 * KIB),
    ("photos/2026/summer", "IMG_{:04}.jpg", 50, 60 * KIB),
    ("documents", "letter {:02}.docx", 30, 12 * KIB),
    ("documents/invoices", "2026-{:03}.pdf", 60, 8 * KIB),
    ("site/assets", "chunk-{:03}.js", 60, 6 * KIB),
    ("logs", "app.{:02}.log", 25, 3 * KIB),
)
"""Directory, name of the nth file, how many, and about how many bytes each has."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was written."""

    root: Path
    files: int
    """Regular files: what can be uploaded."""
    bytes: int
    unfit: int
    """A link and a FIFO: what is skipped."""


def make_sample(root: Path) -> Sample:
    """Write the sample tree into a new directory. Raises OSError."""
    random = Random(2026)
    sizes = _sizes(random)
    for name, size in sizes.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(random.randbytes(size))
    (root / "photos" / "latest.jpg").symlink_to("2026/summer/IMG_0001.jpg")
    os.mkfifo(root / "logs" / "live.fifo")
    (root / "empty directory").mkdir()
    return Sample(root, files=len(sizes), bytes=sum(sizes.values()), unfit=2)


def _sizes(random: Random) -> dict[str, int]:
    sizes = {f"odd names/{name}": 40 + 10 * number for number, name in enumerate(_ODD_NAMES)}
    sizes |= {"empty.txt": 0, "odd names/.hidden": 0, "a/very/deeply/nested/directory/note.txt": 1, REFUSED: 20 * KIB}
    sizes |= dict(_LARGE)
    for directory, name, count, size in _SHELVES:
        sizes |= {f"{directory}/{name.format(number)}": random.randint(size // 4, size) for number in range(1, count + 1)}
    return sizes
