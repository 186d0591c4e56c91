"""The one table that names the kinds of job."""

from __future__ import annotations

from s3tui.jobs import backup, ingest, upload, video
from s3tui.jobs.context import Kind

KINDS: dict[str, Kind] = {
    upload.UploadSpec.kind: Kind(upload.plan, upload.work),
    backup.BackupSpec.kind: Kind(upload.plan, backup.work),
    video.VideoSpec.kind: Kind(video.plan, video.work),
    ingest.IngestSpec.kind: Kind(ingest.plan, ingest.work),
}
