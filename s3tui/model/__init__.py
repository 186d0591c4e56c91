"""The nouns: what a job, a unit, a transfer and a proof are. Standard library only.

    jobs.py                          where a job stands, what is wanted of it, what it has counted
    files.py                         how a file is told from another, where it stands, lists of files
    objects.py                       an object, its headers, and the S3 on which it lies
    transfers.py  multipart.py       a file on its way to its object, whole or in parts; what proves that it is there
    videos.py  rows.py               a video that is being made; rows of CSV files, and those that were rejected
    workers.py                       a worker, and its leases of units
    ids.py                           names that sort by time

Times are integers, milliseconds since 1970 in UTC. Sizes are bytes. Local paths are `bytes`, as the operating system has them.

What exists once for each file is a named tuple: made several times as fast as a frozen dataclass. Two of them are equal if their
values are, whatever their kinds, so they are told apart by `isinstance`, and never kept in one set.
"""

from s3tui.model.files import SIGNED_64, WHOLE, Action, FileChoice, FileRow, FileState, Fingerprint, Order, View
from s3tui.model.ids import new_id, now_ms
from s3tui.model.jobs import ENDED_STATES, Desired, Job, JobState, Sample, Totals
from s3tui.model.multipart import LingeringUpload, OpenUpload, StoredPart
from s3tui.model.objects import Connection, ObjectHeaders, ObjectRef, StoredObject
from s3tui.model.rows import RejectChoice, RejectLine, RejectWay, RowCounts
from s3tui.model.transfers import ActiveTransfer, Policy, Proof, Receipt, Stored, Transfer
from s3tui.model.videos import VideoPhase, VideoSample
from s3tui.model.workers import Holding, Lease, UnitKind, WorkerState

__all__ = [
    "ENDED_STATES",
    "SIGNED_64",
    "WHOLE",
    "Action",
    "ActiveTransfer",
    "Connection",
    "Desired",
    "FileChoice",
    "FileRow",
    "FileState",
    "Fingerprint",
    "Holding",
    "Job",
    "JobState",
    "Lease",
    "LingeringUpload",
    "ObjectHeaders",
    "ObjectRef",
    "OpenUpload",
    "Order",
    "Policy",
    "Proof",
    "Receipt",
    "RejectChoice",
    "RejectLine",
    "RejectWay",
    "RowCounts",
    "Sample",
    "Stored",
    "StoredObject",
    "StoredPart",
    "Totals",
    "Transfer",
    "UnitKind",
    "VideoPhase",
    "VideoSample",
    "View",
    "WorkerState",
    "new_id",
    "now_ms",
]
