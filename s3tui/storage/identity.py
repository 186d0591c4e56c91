"""Who the credentials belong to, as the store's token service says."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError

from s3tui.model import Connection
from s3tui.storage.failures import translate, unusable_settings
from s3tui.storage.options import AwsOptions
from s3tui.storage.sdk import client_config, open_client, open_session

_OWN_SERVICE = "AWS_ENDPOINT_URL_STS"
_SECONDS = 3


def caller_identity(connection: Connection, aws: AwsOptions) -> str | None:
    """The ARN of who signs; None where nobody can be asked: only Amazon, and who names a token service, has one.

    Raises StorageError, ConfigError.
    """
    try:
        s3 = open_client(connection, aws, max_connections=1)
        session = open_session(connection, aws)
        host = urlsplit(s3.meta.endpoint_url).hostname or ""
        named = os.environ.get(_OWN_SERVICE)
        if not named and not host.endswith((".amazonaws.com", ".amazonaws.com.cn")):
            return None
        sts = session.create_client("sts", s3.meta.region_name, endpoint_url=named or None, config=client_config(1, _SECONDS))
    except (BotoCoreError, ValueError) as error:
        raise unusable_settings(error) from error
    with translate("GetCallerIdentity", "of AWS STS"):
        arn: str = sts.get_caller_identity()["Arn"]
    return arn
