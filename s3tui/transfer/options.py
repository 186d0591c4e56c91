"""The `transfer:` section of the configuration."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from s3tui.text import parse_rate, parse_size

MIN_PART = 5 << 20
MAX_PART = 5 << 30
"""What S3 takes as a part, in bytes."""


class TransferOptions(BaseModel):
    """How files are sent. A key left empty in YAML has its default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    concurrency: int = Field(100, ge=1, le=1000, description="Transfers in flight, from 1 to 1000.")
    part_size: str = Field("auto", description="Size of a part of a large file: auto, or 5MiB to 5GiB.")
    max_attempts: int = Field(5, ge=1, le=100, description="How often one file is tried, from 1 to 100.")
    checksum: Literal["crc64nvme", "crc32", "crc32c", "sha256"] = Field(
        "crc64nvme", description="What proves that the store received the bytes: crc64nvme, crc32, crc32c or sha256."
    )
    bandwidth: str = Field("", description="Limit for all transfers of a job together, like 10MB/s; empty: none.")
    engine: Literal["auto", "wire", "s3transfer"] = Field(
        "auto", description="Which engine sends: auto (wire where it can), wire, or s3transfer (through the AWS SDK)."
    )

    @model_validator(mode="before")
    @classmethod
    def _empty_is_unset(cls, values: Any) -> Any:  # noqa: ANN401 - pydantic hands over what the YAML had
        if not isinstance(values, dict):
            return values
        return {key: value for key, value in values.items() if key not in cls.model_fields or value not in (None, "")}

    @field_validator("part_size", mode="before")
    @classmethod
    def _is_part_size(cls, value: Any) -> str:  # noqa: ANN401
        text = str(value)
        if text == "auto":
            return text
        if not MIN_PART <= parse_size(text) <= MAX_PART:
            raise ValueError(f"{text!r} is no part size that S3 takes; use auto, or 5MiB to 5GiB")
        return text

    @field_validator("bandwidth", mode="before")
    @classmethod
    def _is_rate(cls, value: Any) -> str:  # noqa: ANN401
        parse_rate(str(value))
        return str(value)

    @property
    def part_bytes(self) -> int:
        """The part size in bytes; 0 lets the engine choose."""
        return 0 if self.part_size == "auto" else parse_size(self.part_size)

    @property
    def bytes_per_second(self) -> int:
        """The bandwidth; 0 is no limit."""
        return parse_rate(self.bandwidth) if self.bandwidth else 0
