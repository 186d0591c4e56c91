"""The `aws:` and `s3:` sections of the configuration."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from s3tui.errors import CredentialsError


class _Section(BaseModel):
    """A section in which an empty key, which YAML reads as null, is a key that is not set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _empty_is_unset(cls, values: Any) -> Any:  # noqa: ANN401 - pydantic hands over what the YAML had
        if not isinstance(values, dict):
            return values
        return {key: value for key, value in values.items() if key not in cls.model_fields or value not in (None, "")}


class AwsOptions(_Section):
    """Who we are and where S3 is. What is empty comes from the AWS SDK's own chain: environment, profile, SSO, instance role."""

    access_key_id: str = Field("", description="Access key id; empty: the AWS SDK's own chain finds credentials.")
    secret_access_key: SecretStr = Field(SecretStr(""), description="Secret access key that belongs to the id.")
    session_token: SecretStr = Field(SecretStr(""), description="Session token of temporary credentials.")
    region: str = Field("us-east-1", description="Region of the bucket; unless it is set here, a profile's own region wins.")
    profile: str = Field("", description="Profile in the AWS config files.")
    endpoint_url: str = Field("", description="Address of an S3-compatible store; empty: Amazon S3.")

    @field_validator("endpoint_url")
    @classmethod
    def _has_scheme(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("an endpoint is a URL, and it starts with http:// or https://")
        if "@" in value:
            raise ValueError("an endpoint has no user and no password in it; a proxy's go into HTTPS_PROXY")  # jobs keep it
        return value

    @property
    def has_keys(self) -> bool:
        """Whether a key pair is set. Raises CredentialsError for half of one."""
        key, secret = bool(self.access_key_id), bool(self.secret_access_key.get_secret_value())
        if key and not secret:
            raise CredentialsError("aws.access_key_id is set, but aws.secret_access_key is not: set both, or neither.")
        if secret and not key and not self.profile:
            raise CredentialsError("aws.secret_access_key is set, but aws.access_key_id is not: set both, or neither.")
        return key

    @property
    def identity(self) -> str:
        """Which static key this is, without telling it: 16 hex digits; empty when the SDK's chain finds the credentials."""
        return hashlib.sha256(self.access_key_id.encode()).hexdigest()[:16] if self.access_key_id else ""


class S3Options(_Section):
    """Where objects go by default, and how they are stored."""

    @model_validator(mode="before")
    @classmethod
    def _empty_prefix_is_a_choice(cls, values: Any) -> Any:  # noqa: ANN401
        """The top of the bucket, not the default prefix. Runs first, and says so with a slash that the validator below drops."""
        if isinstance(values, dict) and "prefix" in values and not values["prefix"]:
            return {**values, "prefix": "/"}
        return values

    @field_validator("prefix")
    @classmethod
    def _without_leading_slash(cls, value: str) -> str:
        return value.lstrip("/")

    bucket_name: str = Field("", description="Bucket that backup uses when no target is given.")
    prefix: str = Field("backups/", description="Prefix that backup uses when no target is given.")
    storage_class: str = Field("", description="Storage class, like STANDARD_IA; empty: the bucket's default.")
    sse: Literal["", "AES256", "aws:kms"] = Field("", description="Server-side encryption: AES256 or aws:kms; empty: the default.")
    sse_kms_key_id: str = Field("", description="KMS key for aws:kms; empty: the account's default key.")
    addressing_style: Literal["auto", "path", "virtual"] = Field("auto", description="Bucket in path or host: auto, path, virtual.")
