"""Defaults of the job kinds, as the configuration gives them."""

from __future__ import annotations

import os
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

from s3tui.media.heights import parse_heights
from s3tui.media.keys import check_address

SegmentType = Literal["fmp4", "ts"]
Preset = Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"]
SEGMENT_TYPES: tuple[SegmentType, ...] = get_args(SegmentType)
PRESETS: tuple[Preset, ...] = get_args(Preset)


class BackupOptions(BaseModel):
    """`backup:` in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source_directory: str = ""
    """What `s3tui backup` takes when no SOURCE is given; empty: it must be given. See `sources`."""
    file_extensions: Annotated[list[str], Field(min_length=1)] = ["*"]
    """Only files that end so (`pdf`, `.jpg`); `*` is all."""
    delete_after_upload: bool = False
    """Delete each source after its object is proven identical."""
    prune_empty_dirs: bool = True
    """Remove directories that deleting sources has emptied."""
    follow_symlinks: bool = False

    @property
    def sources(self) -> list[str]:
        """What that is, with the home directory in place of `~`."""
        return [os.path.expanduser(self.source_directory)] if self.source_directory else []  # noqa: PTH111


class VideoOptions(BaseModel):
    """`video:` in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    segment_type: SegmentType = "fmp4"
    segment_seconds: Annotated[float, Field(ge=1, le=60)] = 4
    ladder: str = "auto"
    """`auto`, or heights like `1080,720,480`: of the short side. None is made that is larger than the source."""
    preset: Preset = "veryfast"
    """x264's word for speed against size."""
    concurrent: Annotated[int, Field(ge=1)] = 1
    """Videos encoded at a time."""
    ffmpeg: str = ""
    """Path of the ffmpeg to use; empty: the newer of the system's and the one of the extra `video`."""
    hls_key: str = ""
    """Path of a file of 16 bytes, the key that MPEG-TS segments are encrypted with; empty: they are not."""
    hls_key_url: str = ""
    """The address at which players get that key."""

    @field_validator("ladder")
    @classmethod
    def _is_a_ladder(cls, text: str) -> str:
        parse_heights(text)
        return text

    @field_validator("hls_key_url")
    @classmethod
    def _is_an_address(cls, text: str) -> str:
        if text:
            check_address(text)
        return text


Payload = Literal["range", "inline"]


class IngestOptions(BaseModel):
    """`ingest:` in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch_rows: Annotated[int, Field(ge=1)] = 1000
    """CSV rows in one batch object."""
    table: str = ""
    """Table with typed columns that takes the rows; empty: `ingest_rows`."""
    strict: bool = False
    """Fail a file at its first rejected row."""
    payload: Payload = "range"
    """What workers get of a batch: where it is in the file, or its bytes, if they cannot reach the file."""
