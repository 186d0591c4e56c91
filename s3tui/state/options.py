"""Where the state database is."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class StateOptions(BaseModel):
    """`state:` in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = "sqlite"
    """`sqlite`: a file in the state directory; or `postgresql://USER:PASSWORD@HOST/DATABASE`."""


def state_directory() -> Path:
    """`$XDG_STATE_HOME/s3tui`. An unset or relative variable means `~/.local/state`, as the XDG specification has it."""
    return _xdg_directory("XDG_STATE_HOME", ".local/state")


def _xdg_directory(variable: str, default: str) -> Path:
    base = Path(os.environ.get(variable, ""))
    return (base if base.is_absolute() else Path.home() / default) / "s3tui"
