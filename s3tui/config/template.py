"""`config.yaml.template`, which documents every key; a test holds it against the settings."""

from __future__ import annotations

import os
from pathlib import Path

from s3tui.errors import ConfigError

_MODE = 0o600
"""A configuration may come to hold keys: nobody else may read it."""
_PACKAGE = Path(__file__).resolve().parent.parent


def template_path() -> Path:
    """Where the template is: in the package when installed from a wheel, at the top of a source tree."""
    for directory in (_PACKAGE, _PACKAGE.parent):
        path = directory / "config.yaml.template"
        if path.is_file():
            return path
    raise ConfigError("This installation has no config.yaml.template; install s3tui again.")


def write_config(path: Path, *, force: bool = False) -> None:
    """Write a configuration from the template, and make its directory. Raises ConfigError, never overwrites unless `force`."""
    text = template_path().read_bytes()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb" if force else "xb", opener=_private) as file:
            os.fchmod(file.fileno(), _MODE)  # one that is written over may have been made for everybody
            file.write(text)
    except OSError as error:
        if isinstance(error, FileExistsError) and path.exists():
            raise ConfigError(f"{path} exists already and was left as it is; --force writes over it.") from None
        raise ConfigError(f"{path} cannot be written: {error.strerror}.") from error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, mode=_MODE)
