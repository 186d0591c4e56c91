"""Whether this machine sees what a unit works on. Where many share a database, what is not here may be elsewhere.

A command carries what it was given itself, and a database in a file has workers of one machine only: neither is held up by a look.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from s3tui.errors import SourceUnseen
from s3tui.jobs.context import Context
from s3tui.jobs.ingest import IngestSpec
from s3tui.jobs.lists import has_list
from s3tui.jobs.upload import UploadSpec
from s3tui.jobs.video import VideoSpec
from s3tui.model import UnitKind
from s3tui.state.sightings import REASON, this_vantage
from s3tui.text import display_text
from s3tui.transfer.landmarks import Planned, recognize

if TYPE_CHECKING:
    from s3tui.jobs.specs import Spec


def ensure_seen(context: Context[Spec]) -> None:
    """See that the sources of the job are here, and the ones that it was made for. Raises SourceUnseen, StateError."""
    job, sightings = context.job, context.store.sightings
    if not context.store.database.is_shared or job.home == context.lease.worker or _needs_no_source(context):
        return
    sighting = sightings.of(job.no)
    at_home = sighting.home == this_vantage()
    if not at_home:
        sources = [os.fsencode(source) for source in context.spec.sources]
        recognize(sources, sighting.landmarks, _Expected(context), known=sighting.known)
        _ensure_companions(context)
    if job.reason == REASON or not (at_home or sighting.known):
        sightings.seen(job.no)


def _needs_no_source(context: Context[Spec]) -> bool:
    """Whether what the unit works on travels with it."""
    inline = isinstance(context.spec, IngestSpec) and context.spec.payload == "inline" and context.lease.kind is UnitKind.CARRY
    return inline and context.store.landings.carries_payloads(context.lease)


class _Expected:
    """Files of the unit that should be there still, read from the database when somebody asks."""

    def __init__(self, context: Context[Spec]) -> None:
        self._context = context

    def __iter__(self) -> Iterator[Planned]:
        return iter(self._context.store.sightings.expected(self._context.lease))


def _ensure_companions(context: Context[Spec]) -> None:
    """The same for the files besides the sources that the unit takes. Raises SourceUnseen."""
    spec = context.spec
    plans = context.lease.kind is UnitKind.PLAN
    if plans and isinstance(spec, UploadSpec) and spec.choice.files_from and not has_list(spec.choice):
        raise SourceUnseen("the list of --files-from is not there")
    if isinstance(spec, VideoSpec) and spec.hls_key and not Path(spec.hls_key).exists():
        raise SourceUnseen(f"the key {display_text(spec.hls_key)} is not there")
