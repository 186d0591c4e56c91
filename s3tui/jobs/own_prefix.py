"""The prefix that is one video's own: found empty, taken by its first object, and cleared when nothing comes of it.

Two jobs may find it empty at the same moment. So the first object is stored only if its key is free, and every object says in
metadata of its own whose it is: no job removes what is not its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

from s3tui.errors import ObjectExists, StorageError
from s3tui.jobs.context import Resources
from s3tui.media.served import MASTER
from s3tui.model import Connection, ObjectRef
from s3tui.storage.api import Api
from s3tui.text import display_text
from s3tui.transfer.engine import Control
from s3tui.transfer.patience import persist

OWNER = "s3tui-job"
"""The metadata that names the job of an object."""

_REQUESTS_AT_A_TIME = 8


def taken(prefix: str) -> ObjectExists:
    """What is said of a prefix that is somebody else's."""
    step = "What is there is not replaced: delete it and retry, or choose another prefix or name."
    return ObjectExists(f"The target already has something below {display_text(prefix)}. {step}")


def ensure_empty(resources: Resources, connection: Connection, bucket: str, prefix: str) -> None:
    """Raises ObjectExists if there is anything below `prefix`, which ends in a slash; StorageError."""
    if next(iter(resources.bucket(connection, bucket).list(prefix)), None) is not None:
        raise taken(prefix)


def clear(resources: Resources, connection: Connection, bucket: str, prefix: str, job_id: str, *, attempts: int) -> None:
    """Remove the job's objects below `prefix`, the master first, so that no player is led to what is going. Raises StorageError.

    Every request is made `attempts` times at most.
    """
    keys = [stored.key for stored in resources.bucket(connection, bucket).list(prefix)]
    _Clearance(resources.api(connection, bucket), bucket, job_id, attempts).remove(keys, prefix + MASTER)


class _Clearance:
    """The requests about the objects of one video."""

    def __init__(self, api: Api, bucket: str, job_id: str, attempts: int) -> None:
        self._api = api
        self._bucket = bucket
        self._job_id = job_id
        self._attempts = attempts
        self._control = Control(_REQUESTS_AT_A_TIME)  # not the job's: that one is stopping perhaps

    def remove(self, keys: Sequence[str], master: str) -> None:
        """Remove what is the job's."""
        with ThreadPoolExecutor(_REQUESTS_AT_A_TIME, thread_name_prefix="clear") as pool:
            owners = dict(zip(keys, pool.map(self._owner, keys), strict=True))
            says_nothing = not any(owners.values())  # as on stores that forget metadata; we had found the place empty
            own = {key for key, owner in owners.items() if says_nothing or owner == self._job_id}
            if master in own:
                own.remove(master)
                self._delete(master)
            for _ in pool.map(self._delete, own):
                pass

    def _owner(self, key: str) -> str:
        """The job that stored it; empty if that is not said."""
        try:
            head = persist(self._control, self._attempts, lambda: self._api.head_object(ObjectRef(self._bucket, key)))
        except StorageError as error:
            if error.status not in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
                raise
            return ""
        return head.metadata.get(OWNER, "")

    def _delete(self, key: str) -> None:
        persist(self._control, self._attempts, lambda: self._api.delete_object(ObjectRef(self._bucket, key)))
