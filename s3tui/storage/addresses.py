"""Where a player or a browser finds an object."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from s3tui.model import Connection, ObjectRef
from s3tui.storage.options import AwsOptions


def object_url(connection: Connection, aws: AwsOptions, target: ObjectRef) -> str:
    """The address of an object: at its endpoint, else at Amazon's. Whether it may be read there is the bucket's business."""
    endpoint = connection.endpoint_url or aws.endpoint_url
    key = quote(target.key)
    if not endpoint:
        region = connection.region or aws.region
        return f"https://{target.bucket}.s3.{region}.amazonaws.com/{key}"
    if connection.addressing_style != "virtual":
        return f"{endpoint.rstrip('/')}/{target.bucket}/{key}"
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{target.bucket}.{parts.netloc}{parts.path.rstrip('/')}/{key}"
