"""How large the proof is: whole with `S3TUI_PROOF`, which names its seeds (`1`, `1,2,3`); else what fits beside other tests."""

from __future__ import annotations

import os
from dataclasses import dataclass

FULL = bool(os.environ.get("S3TUI_PROOF"))
SEEDS = [int(seed) for seed in os.environ.get("S3TUI_PROOF", "1").split(",")]

ROWS = int(os.environ.get("S3TUI_PROOF_ROWS", "1000000"))
"""Of the whole proof."""


@dataclass(frozen=True)
class Scale:
    """The size of one run."""

    rows: int
    """Lines of the file, about."""
    batch_rows: int
    odd: int
    """One line in so many is odd."""
    kills: int
    restarts: int
    """Of PostgreSQL, and as many of RabbitMQ."""
    seconds: float
    """What one run may take on a slow machine."""
    put_seconds: float
    """What the store takes for each batch, so that a small file is not over before enough has happened."""

    @property
    def batches(self) -> int:
        """So many there will be, about."""
        return self.rows // self.batch_rows


SCALE = Scale(ROWS, 500, 2000, 15, 3, 1800, 0) if FULL else Scale(12_000, 40, 200, 4, 1, 120, 0.05)
