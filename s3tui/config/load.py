"""The layers laid over each other: arguments > environment > `.env` > YAML > defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from s3tui.config.layers import Given, Key, Layer, arguments_layer, dotenv_layer, environment_layer
from s3tui.config.settings import Settings, config_directory, known_keys, options_of
from s3tui.config.yaml_layer import yaml_layer
from s3tui.errors import ConfigError
from s3tui.text import display_text


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and where they came from."""

    settings: Settings
    origins: Mapping[Key, str]
    """For every key that is not at its default: `argument`, `environment NAME`, `FILE:LINE NAME`, `FILE:LINE`."""
    config_file: Path | None = None
    """The YAML file that was read."""
    env_file: Path | None = None
    """The `.env` file that was read."""
    sdk_environment: Mapping[str, str] = field(default_factory=dict)
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
    dotenv, sdk_environment = dotenv_layer(env_file) if env_file else ({}, {})
    layers = [
        arguments_layer(arguments or {}),
        environment_layer(os.environ if environment is None else environment),
        dotenv,
        yaml_layer(config_file) if config_file else {},
    ]
    _keep_one_identity(layers)
    origins = {key: given.origin for layer in reversed(layers) for key, given in layer.items()}
    return Loaded(_validated(layers), origins, config_file, env_file, sdk_environment)


class _LayerSource(PydanticBaseSettingsSource):
    """One layer, as pydantic-settings takes it: of two sources the earlier wins, key by key."""

    def __init__(self, settings_cls: type[BaseSettings], layer: Layer) -> None:
        super().__init__(settings_cls)
        self._layer = layer

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - as the base has it
        """What this layer says of one section."""
        return {key: given.value for (section, key), given in self._layer.items() if section == field_name}, field_name, False

    def __call__(self) -> dict[str, Any]:
        """What this layer says."""
        return {section: dict(self.get_field_value(field, section)[0]) for section, field in Settings.model_fields.items()}


def _validated(layers: Sequence[Layer]) -> Settings:
    class LayeredSettings(Settings):
        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], *_: PydanticBaseSettingsSource, **__: PydanticBaseSettingsSource
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return tuple(_LayerSource(settings_cls, layer) for layer in layers)

    try:
        return LayeredSettings()
    except ValidationError as error:
        raise _complaint(error, layers) from error


def _complaint(error: ValidationError, layers: Sequence[Layer]) -> ConfigError:
    """One sentence about the first value that cannot be used."""
    first = error.errors(include_url=False)[0]
    section, key, *_ = (*map(str, first["loc"]), "", "")
    given = next((layer[section, key] for layer in layers if (section, key) in layer), Given("", "default"))
    why = first["msg"].removeprefix("Value error, ").rstrip(".")
    where = ".".join(map(str, first["loc"]))
    shown = "a secret" if _is_secret(section, key) else display_text(repr(given.value))[:80]
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
