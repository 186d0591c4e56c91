"""The layers laid over each other: arguments > environment > `.env` > YAML > defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import SecretStr, ValidationError

from s3tui.config.layers import Given, Key, Layer, arguments_layer, environment_layer
from s3tui.config.settings import Settings, config_directory, known_keys, options_of
from s3tui.errors import ConfigError
from s3tui.masking import masked, shown_url
from s3tui.text import display_text

UNSHOWN = {("webhook", "url")}
"""What is no secret, but may hold one where nobody looks for it."""


class Loaded(NamedTuple):
    """Settings, and where they came from."""

    settings: Settings
    origins: Mapping[Key, str]
    """For every key that is not at its default: `argument`, `environment NAME`, `FILE:LINE NAME`, `FILE:LINE`."""
    config_file: Path | None
    """The YAML file that was read."""
    env_file: Path | None
    """The `.env` file that was read."""
    sdk_environment: Mapping[str, str]
    """Variables of the `.env` file that only the AWS SDK reads; whoever talks to S3 must put them into the environment."""

    def origin(self, section: str, key: str) -> str:
        """Where the value of a key came from."""
        return self.origins.get((section, key), "default")

    @property
    def arguments(self) -> list[str]:
        """The arguments that lead another process to the same files."""
        named = (("--config", self.config_file), ("--env-file", self.env_file))
        return [word for option, path in named if path is not None for word in (option, str(path.absolute()))]


def load_settings(
    *,
    config_file: Path | None = None,
    env_file: Path | None = None,
    arguments: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Loaded:
    """Read all settings. Raises ConfigError.

    `config_file` and `env_file` must exist when they are named; without a name, `./config.yaml`, else
    `$XDG_CONFIG_HOME/s3tui/config.yaml`, and `./.env` are read if they are there. `arguments` are named `section.key`.
    """
    config_file = _existing("--config", config_file, [Path("config.yaml"), config_directory() / "config.yaml"])
    near = [path for path in (Path(".env"),) if not path.is_dir()]  # a directory of that name is a virtual environment
    env_file = _existing("--env-file", env_file, near)
    dotenv, sdk_environment = _read_dotenv(env_file) if env_file else ({}, {})
    layers = [
        arguments_layer(arguments or {}),
        environment_layer(os.environ if environment is None else environment),
        dotenv,
        _read_yaml(config_file) if config_file else {},
    ]
    _keep_one_identity(layers)
    strongest = {key: given for layer in reversed(layers) for key, given in layer.items()}
    origins = {key: given.origin for key, given in strongest.items()}
    return Loaded(_validated(strongest), origins, config_file, env_file, sdk_environment)


def _read_dotenv(path: Path) -> tuple[Layer, dict[str, str]]:
    from s3tui.config.dotenv_layer import dotenv_layer

    return dotenv_layer(path)


def _read_yaml(path: Path) -> Layer:
    from s3tui.config.yaml_layer import yaml_layer

    return yaml_layer(path)


def _validated(layer: Layer) -> Settings:
    sections: dict[str, dict[str, Any]] = {section: {} for section in Settings.model_fields}
    for (section, key), given in layer.items():
        sections[section][key] = given.value
    try:
        return Settings.model_validate(sections)
    except ValidationError as error:
        raise _complaint(error, layer) from None  # it repeats what was given, secrets too


def _complaint(error: ValidationError, layer: Layer) -> ConfigError:
    """One sentence about the first value that cannot be used."""
    first = error.errors(include_url=False)[0]
    section, key, *_ = (*map(str, first["loc"]), "", "")
    given = layer.get((section, key), Given("", "default"))
    why = masked(first["msg"]).removeprefix("Value error, ").rstrip(".")
    where = ".".join(map(str, first["loc"]))
    if _is_secret(section, key):
        shown = "a secret"
    elif (section, key) in UNSHOWN:
        shown = "what it is"
    else:
        shown = display_text(shown_url(repr(given.value)))[:80]
    return ConfigError(f"{where} cannot be {shown} ({given.origin}): {why[:1].lower()}{why[1:]}.")


def _is_secret(section: str, key: str) -> bool:
    return any(
        SecretStr in (field.annotation, *getattr(field.annotation, "__args__", ()))
        for known_section, known_key, field in known_keys()
        if (known_section, known_key) == (section, key)
    )


def _keep_one_identity(layers: Sequence[Layer]) -> None:
    """Credentials of different places must not mix.

    A profile outranks keys of a weaker layer, and a session token of a weaker layer does not belong to a stronger layer's key.
    """
    rank = {
        key: next((n for n, layer in enumerate(layers) if ("aws", key) in layer), len(layers))
        for key in options_of("aws").model_fields
    }
    drop: set[str] = set()
    if rank["profile"] < rank["access_key_id"]:
        drop |= {"access_key_id", "secret_access_key", "session_token"}
    if rank["access_key_id"] < rank["session_token"]:
        drop.add("session_token")
    for layer in layers:
        for key in drop:
            layer.pop(("aws", key), None)


def _existing(option: str, named: Path | None, defaults: Sequence[Path]) -> Path | None:
    if named is None:
        return next((path for path in defaults if path.exists()), None)
    if not named.exists():
        raise ConfigError(f"{option} names {display_text(str(named))}, which does not exist.")
    return named
