"""The doctor: looks at each thing that an upload needs, and says what to do about what is missing. It heals nothing.

findings.py        what it says of one thing, and looks that end in time
examination.py     the order in which it looks
store.py           credentials, bucket, rights, what the store checks, clock
house.py           database, disk, unfinished uploads, queue, worker, live status, webhook, ffmpeg

It changes nothing unless it is asked to write; then it puts one object and begins one multipart upload, and removes both.
"""

from s3tui.doctor.examination import examine
from s3tui.doctor.findings import Finding

__all__ = ["Finding", "examine"]
