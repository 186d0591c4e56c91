"""Taking a video off S3: everything below its prefix, the master first, so that no player is led to what is going."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from s3tui.jobs.context import Resources
from s3tui.media.served import MASTER
from s3tui.model import Connection, ObjectRef
from s3tui.transfer.engine import Control
from s3tui.transfer.patience import persist

_DELETIONS_AT_A_TIME = 8


def clear(resources: Resources, connection: Connection, bucket: str, prefix: str, *, attempts: int) -> None:
    """Remove all objects below `prefix`, which ends in a slash; each is asked for `attempts` times. Raises StorageError."""
    api = resources.api(connection, bucket)
    control = Control(_DELETIONS_AT_A_TIME)  # not the job's: that one is stopping perhaps

    def remove(key: str) -> None:
        persist(control, attempts, lambda: api.delete_object(ObjectRef(bucket, key)))

    keys = [stored.key for stored in resources.bucket(connection, bucket).list(prefix)]
    if (master := prefix + MASTER) in keys:
        keys.remove(master)
        remove(master)
    with ThreadPoolExecutor(_DELETIONS_AT_A_TIME, thread_name_prefix="clear") as pool:
        for _ in pool.map(remove, keys):
            pass
