"""An s3tui without one of its guards: what finds nothing wrong with the whole one must find it here."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

_REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Mutant:
    """Which guard is taken out, and by what."""

    name: str
    file: str
    guard: str
    """A text that the file has once."""
    instead: str = "pass"

    def grown(self, directory: Path) -> dict[str, str]:
        """Make a copy of the program without the guard; returns the environment in which it is the one that runs."""
        shutil.copytree(_REPOSITORY / "s3tui", directory / "s3tui", ignore=shutil.ignore_patterns("__pycache__"))
        path = directory / "s3tui" / self.file
        source = path.read_text()
        assert source.count(self.guard) == 1, f"{self.file} has the guard {source.count(self.guard)} times"
        path.write_text(source.replace(self.guard, self.instead))
        return {"PYTHONPATH": os.pathsep.join(map(str, (directory, _REPOSITORY))), "PYTHONDONTWRITEBYTECODE": "1"}
