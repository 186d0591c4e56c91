"""The one table that names the kinds of job."""

from __future__ import annotations

from s3tui.jobs import upload
from s3tui.jobs.context import Kind

KINDS: dict[str, Kind] = {
    upload.UploadSpec.kind: Kind(upload.plan, upload.work),
}
