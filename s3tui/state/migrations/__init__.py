"""Schema migrations. They ship in the package and run when an older database is opened."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def upgrade(connection: Connection, version: str) -> bool:
    """Bring the database from `version` to the newest schema, in the caller's transaction; False if `version` is not one of ours.

    An empty `version` starts from nothing.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    if version and version not in {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}:
        return False
    command.upgrade(config, "head")
    return True
