"""Trees and files to upload. Each is made once in a run, the same every time, and lies in the page cache then."""

from __future__ import annotations

import shutil
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

_SMALL = 4096
_FILES_IN_A_DIRECTORY = 500


@dataclass(frozen=True)
class Source:
    """What is uploaded."""

    path: Path
    files: int
    bytes: int


def small_files(directory: Path, files: int) -> Source:
    """So many files of 4 KiB."""
    random = Random(1)
    root = directory / f"small-{files}"
    _write(root, files, (random.randbytes(_SMALL) for _ in range(files)))
    return Source(root, files, files * _SMALL)


def empty_files(directory: Path, files: int) -> Source:
    """So many files without content, for whoever only looks."""
    root = directory / f"empty-{files}"
    _write(root, files, (b"" for _ in range(files)))
    return Source(root, files, 0)


def one_small_file(directory: Path) -> Source:
    """A file of 4 KiB."""
    path = directory / "small.bin"
    path.write_bytes(Random(1).randbytes(_SMALL))
    return Source(path, 1, _SMALL)


def one_large_file(directory: Path, size: int) -> Source:
    """A sparse file: it is read like any other, and needs no disk."""
    path = directory / "large.bin"
    with path.open("wb") as file:
        file.truncate(size)
    return Source(path, 1, size)


def standard_library(directory: Path) -> Source:
    """A copy of the standard library of this Python: a real tree of small and middling files."""
    root = directory / "library"
    if not root.exists():
        unwanted = shutil.ignore_patterns("__pycache__", "site-packages", "*.pyc")
        shutil.copytree(sysconfig.get_path("stdlib"), root, ignore=unwanted)
    sizes = [path.stat().st_size for path in root.rglob("*") if path.is_file()]
    return Source(root, len(sizes), sum(sizes))


def _write(root: Path, files: int, contents: Iterable[bytes]) -> None:
    if root.exists():
        return
    for number, content in zip(range(files), contents, strict=True):
        directory = root / f"{number // _FILES_IN_A_DIRECTORY:05}"
        if number % _FILES_IN_A_DIRECTORY == 0:
            directory.mkdir(parents=True)
        (directory / f"{number:07}.bin").write_bytes(content)
