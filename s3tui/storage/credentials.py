"""Which credentials requests will be signed with, told without telling them."""

from __future__ import annotations

from s3tui.model import Connection
from s3tui.storage.options import AwsOptions


def describe_credentials(connection: Connection, aws: AwsOptions) -> str:
    """Where the credentials come from, and the end of the key id.

    Raises CredentialsError when there are none, ConfigError for settings that cannot be used.
    """
    if not connection.profile and aws.has_keys:
        return f"access key {_end(aws.access_key_id)} from the settings"
    from s3tui.storage.failures import translate
    from s3tui.storage.sdk import find_credentials

    credentials = find_credentials(connection, aws)
    with translate("GetCredentials", "of the AWS SDK"):
        access_key = credentials.get_frozen_credentials().access_key
    return f"access key {_end(access_key)} found by {credentials.method}"


def _end(access_key: str) -> str:
    return f"...{access_key[-4:]}" if len(access_key) > 8 else "(short)"
