"""The `.env` file as a layer."""

from __future__ import annotations

import re
from pathlib import Path

from dotenv.parser import parse_stream

from s3tui.config.layers import NAMES, Given, Layer, variables_layer
from s3tui.errors import ConfigError
from s3tui.text import display_text

_SDK_NAME = re.compile(r"AWS_\w+|(?:HTTPS?|ALL|NO)_PROXY", re.IGNORECASE)


def dotenv_layer(path: Path) -> tuple[Layer, dict[str, str]]:
    """What the file sets, and those of its variables that only the AWS SDK itself reads (proxies, CA bundle).

    Raises ConfigError.
    """
    variables: dict[str, Given] = {}
    try:
        with path.open(encoding="utf-8") as stream:
            for binding in parse_stream(stream):
                if binding.error:
                    text = display_text(binding.original.string.strip())
                    raise ConfigError(f"{path}, line {binding.original.line}, is not NAME=VALUE: {text[:40]}")
                if binding.key is not None:
                    variables[binding.key] = Given(binding.value or "", f"{path}:{binding.original.line} {binding.key}")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The file {path} cannot be read: {_cause(error)}.") from error
    ours = {name for names in NAMES.values() for name in names}
    sdk = {name: given.value for name, given in variables.items() if _SDK_NAME.fullmatch(name) and name not in ours and given.value}
    return variables_layer(variables), sdk


def _cause(error: OSError | UnicodeDecodeError) -> str:
    return "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else (error.strerror or str(error))
