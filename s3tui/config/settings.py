"""What can be set. Each part declares its own options beside the code that obeys them; the faces' own are here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic.fields import FieldInfo

from s3tui.jobs.options import BackupOptions, IngestOptions, VideoOptions
from s3tui.live.options import LiveOptions
from s3tui.masking import passwords_in
from s3tui.model import Connection
from s3tui.queues.options import QueueOptions
from s3tui.state.options import StateOptions, state_directory
from s3tui.storage.options import AwsOptions, S3Options
from s3tui.text import parse_size
from s3tui.transfer.options import TransferOptions
from s3tui.webhooks.options import WebhookOptions


class ApiOptions(BaseModel):
    """`api:` in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_body: str = "50GiB"
    """Largest request body that is accepted."""
    staging_directory: str = ""
    """Where bodies wait until they are on S3; empty: beside the state file."""
    allowed_sources: list[str] = []
    """Directories below which `POST /v1/uploads` may read."""
    requests_per_second: Annotated[float, Field(gt=0)] = 50
    """Of each token; four times as many may come at once."""
    concurrent_bodies: Annotated[int, Field(ge=1)] = 8
    """Bodies that one token may send at a time."""
    resumable_hours: Annotated[float, Field(gt=0)] = 24
    """How long a resumable upload waits for its next piece."""
    keep_failed_hours: Annotated[float, Field(ge=0)] = 24
    """How long the body of a job with failed files is kept, so that it can be retried."""
    start_worker: bool = True
    """Whether a background worker is started here when none runs."""

    @field_validator("allowed_sources")
    @classmethod
    def _are_absolute(cls, directories: list[str]) -> list[str]:
        for directory in directories:
            if not directory.startswith(("/", "~")):
                raise ValueError(f"{directory!r} must be an absolute path, or begin with ~")
        return directories

    @field_validator("max_body")
    @classmethod
    def _is_a_size(cls, value: str) -> str:
        parse_size(value)
        return value


class UiOptions(BaseModel):
    """`ui:` in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    theme: str = ""
    """Name of a theme file; empty: the terminal UI's own choice."""
    fps: Annotated[int, Field(ge=1, le=60)] = 4
    """Times a second that live figures are painted."""
    keys: dict[str, str] = {}
    """Binding id to keys: `{quit: ctrl+q}`."""
    notify: bool = True
    """Whether a job that ends while the UI is open rings the bell and shows a notice on the desktop."""
    color: Literal["auto", "truecolor", "256", "16", "none"] = "auto"
    """Colours that the terminal is taken to have; auto: what `COLORTERM`, `TERM` and `NO_COLOR` say."""
    glyphs: Literal["unicode", "ascii"] = "unicode"
    """What lines, bars and marks are drawn with."""
    mouse: Literal["auto", "on", "off"] = "auto"
    """Whether clicks are taken; auto: over SSH, moves of the mouse without a button are not asked for."""
    animations: Literal["auto", "on", "off"] = "auto"
    """Whether scrolling and switches glide; auto: not over SSH."""
    fast_output: Literal["auto", "off"] = "auto"
    """auto: write only the characters that changed; off: leave all output to Textual."""
    ack_pacing: Literal["auto", "off"] = "auto"
    """auto: paint progress no faster than the line to the terminal takes it; off: always at `fps`."""

    @field_validator("color", "mouse", "animations", "fast_output", "ack_pacing", mode="before")
    @classmethod
    def _are_words(cls, value: object) -> object:
        """YAML reads on and off as booleans, and 16 as a number."""
        if isinstance(value, bool):
            return "on" if value else "off"
        return str(value) if isinstance(value, int) else value


class LoggingOptions(BaseModel):
    """`logging:` in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_file: str = ""
    """Empty: `s3tui.log` beside the state file."""
    max_log_size_mb: Annotated[int, Field(ge=1)] = 10
    backup_count: Annotated[int, Field(ge=0)] = 5
    format: Literal["text", "json"] = "text"

    @property
    def path(self) -> Path:
        """Where the log is written."""
        return Path(self.log_file).expanduser() if self.log_file else state_directory() / "s3tui.log"


class Settings(BaseModel):
    """All settings. `Settings()` has nothing but defaults: only `load_settings` looks outside."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    aws: AwsOptions = AwsOptions()
    s3: S3Options = S3Options()
    transfer: TransferOptions = TransferOptions()
    backup: BackupOptions = BackupOptions()
    video: VideoOptions = VideoOptions()
    ingest: IngestOptions = IngestOptions()
    state: StateOptions = StateOptions()
    queue: QueueOptions = QueueOptions()
    live: LiveOptions = LiveOptions()
    webhook: WebhookOptions = WebhookOptions()
    api: ApiOptions = ApiOptions()
    ui: UiOptions = UiOptions()
    logging: LoggingOptions = LoggingOptions()

    @property
    def connection(self) -> Connection:
        """The S3 of a job that is told nothing else."""
        region = self.aws.region if "region" in self.aws.model_fields_set else ""
        return Connection(self.aws.endpoint_url, self.aws.profile, region, self.s3.addressing_style)


def options_of(section: str) -> type[BaseModel]:
    """The options of one section. Raises KeyError."""
    options = Settings.model_fields[section].annotation
    assert isinstance(options, type)
    assert issubclass(options, BaseModel)
    return options


def known_keys() -> Iterator[tuple[str, str, FieldInfo]]:
    """(section, key, field) of everything that can be set, in the order of the template."""
    for section in Settings.model_fields:
        for key, field in options_of(section).model_fields.items():
            yield section, key, field


def effective_value(settings: Settings, section: str, key: str) -> object:
    """What one key is set to. A secret stays wrapped in its SecretStr."""
    value = getattr(getattr(settings, section), key)
    return value if isinstance(value, SecretStr) else _plain(value)


def secret_values(settings: Settings) -> Iterator[str]:
    """What of the settings nobody may see: secrets, and the passwords within URLs."""
    for section, key, _ in known_keys():
        value = effective_value(settings, section, key)
        if isinstance(value, SecretStr):
            yield value.get_secret_value()
        elif isinstance(value, str):
            yield from passwords_in(value)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def config_directory() -> Path:
    """`$XDG_CONFIG_HOME/s3tui`. An unset or relative variable means `~/.config`."""
    base = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".config") / "s3tui"
