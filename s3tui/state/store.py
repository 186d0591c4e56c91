"""The state store: all that outlives a process. One implementation, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from pathlib import Path

from s3tui.state.bodies import Bodies
from s3tui.state.database import Database
from s3tui.state.ingests import Ingests
from s3tui.state.jobs import Jobs
from s3tui.state.landings import Landings
from s3tui.state.multiparts import Multiparts
from s3tui.state.outbox import Outbox
from s3tui.state.planning import Planning
from s3tui.state.profiles import Profiles
from s3tui.state.rejects import Rejects
from s3tui.state.requests import Requests
from s3tui.state.row_tables import RowTables
from s3tui.state.samples import Samples
from s3tui.state.sightings import Sightings
from s3tui.state.sql import Wording
from s3tui.state.tokens import Tokens
from s3tui.state.transfers import Transfers
from s3tui.state.units import Units
from s3tui.state.videos import Videos
from s3tui.state.watched import Watched
from s3tui.state.webhooks import Webhooks
from s3tui.state.workers import Workers


class Store:
    """The tables of one database, by what they are about."""

    def __init__(self, url: str, directory: Path, *, wording: Wording | None = None) -> None:
        """Open `state.url`; see `Database`. Raises ConfigError, StateError."""
        self.database = Database(url, directory, wording=wording)
        self.jobs = Jobs(self.database)
        self.planning = Planning(self.database)
        self.watched = Watched(self.database)
        self.units = Units(self.database)
        self.sightings = Sightings(self.database)
        self.transfers = Transfers(self.database)
        self.multiparts = Multiparts(self.database)
        self.videos = Videos(self.database)
        self.ingests = Ingests(self.database)
        self.landings = Landings(self.database)
        self.row_tables = RowTables(self.database)
        self.rejects = Rejects(self.database)
        self.workers = Workers(self.database)
        self.samples = Samples(self.database)
        self.profiles = Profiles(self.database)
        self.outbox = Outbox(self.database)
        self.webhooks = Webhooks(self.database)
        self.tokens = Tokens(self.database)
        self.requests = Requests(self.database)
        self.bodies = Bodies(self.database)

    def close(self) -> None:
        """Close the database."""
        self.database.close()
