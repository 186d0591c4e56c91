"""Which credentials requests will be signed with, told without telling them."""

from __future__ import annotations

import boto3
from botocore.exceptions import BotoCoreError

from s3tui.errors import CredentialsError
from s3tui.model import Connection
from s3tui.storage.failures import unusable_settings
from s3tui.storage.options import AwsOptions


def describe_credentials(connection: Connection, aws: AwsOptions) -> str:
    """Where the credentials come from, and the end of the key id.

    Takes what `open_client` takes. Raises CredentialsError when there are none, ConfigError for settings that cannot be used.
    """
    if aws.access_key_id and not connection.profile:
        if not aws.secret_access_key.get_secret_value():
            raise CredentialsError("aws.access_key_id is set, but aws.secret_access_key is not: set both, or neither.")
        return f"access key {_end(aws.access_key_id)} from the settings"
    profile = connection.profile or aws.profile
    try:
        credentials = boto3.session.Session(profile_name=profile or None).get_credentials()
        frozen = credentials.get_frozen_credentials() if credentials else None
    except (BotoCoreError, ValueError) as error:
        raise unusable_settings(error) from error
    if credentials is None or frozen is None or not frozen.access_key:
        raise CredentialsError(
            "There are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a --profile, or run `aws sso login`."
        )
    return f"access key {_end(frozen.access_key)} found by {credentials.method}"


def _end(access_key: str) -> str:
    return f"...{access_key[-4:]}" if len(access_key) > 8 else "(short)"
