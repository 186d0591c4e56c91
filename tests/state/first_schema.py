"""The database as the first version made it, which had its schema from another library: what a migration may meet."""

from __future__ import annotations

from s3tui.state.sql import Connection, statements

_JOB_ID = "01JD0000000000000000000000"

_TABLES = """
CREATE TABLE job (
    no BIGSERIAL NOT NULL,
    id VARCHAR(26) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    queue VARCHAR(32) NOT NULL,
    state VARCHAR(16) NOT NULL,
    desired VARCHAR(8) NOT NULL,
    dry_run BOOLEAN NOT NULL,
    planned BOOLEAN NOT NULL,
    spec TEXT NOT NULL,
    spec_hash VARCHAR(32) NOT NULL,
    identity VARCHAR(32) NOT NULL,
    home VARCHAR(64),
    concurrency INTEGER NOT NULL,
    reason VARCHAR(64),
    error TEXT,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    units INTEGER DEFAULT '0' NOT NULL,
    units_done INTEGER DEFAULT '0' NOT NULL,
    found BIGINT DEFAULT '0' NOT NULL,
    uploaded BIGINT DEFAULT '0' NOT NULL,
    skipped BIGINT DEFAULT '0' NOT NULL,
    failed BIGINT DEFAULT '0' NOT NULL,
    deleted BIGINT DEFAULT '0' NOT NULL,
    retries BIGINT DEFAULT '0' NOT NULL,
    bytes_found BIGINT DEFAULT '0' NOT NULL,
    bytes BIGINT DEFAULT '0' NOT NULL,
    CONSTRAINT pk_job PRIMARY KEY (no),
    CONSTRAINT uq_job_id UNIQUE (id)
);
CREATE INDEX ix_job_spec_hash ON job (spec_hash);
CREATE TABLE unit (
    job_no BIGINT NOT NULL,
    no INTEGER NOT NULL,
    kind VARCHAR(8) NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    state SMALLINT NOT NULL,
    worker VARCHAR(64),
    token INTEGER DEFAULT '0' NOT NULL,
    lease_until BIGINT,
    attempts INTEGER DEFAULT '0' NOT NULL,
    CONSTRAINT pk_unit PRIMARY KEY (job_no, no)
);
CREATE INDEX ix_unit_state_job_no_no ON unit (state, job_no, no);
CREATE TABLE transfer (
    job_no BIGINT NOT NULL,
    no BIGINT NOT NULL,
    unit_no INTEGER,
    source_no SMALLINT NOT NULL,
    path BYTEA NOT NULL,
    key TEXT,
    size BIGINT NOT NULL,
    mtime_ns BIGINT NOT NULL,
    inode BIGINT NOT NULL,
    state SMALLINT NOT NULL,
    action SMALLINT NOT NULL,
    attempts SMALLINT NOT NULL,
    reason VARCHAR(64),
    error TEXT,
    checksum TEXT,
    etag TEXT,
    version_id TEXT,
    CONSTRAINT pk_transfer PRIMARY KEY (job_no, no)
) WITHOUT ROWID;
CREATE INDEX ix_transfer_job_no_state_no ON transfer (job_no, state, no);
CREATE TABLE worker (
    id VARCHAR(64) NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    version TEXT NOT NULL,
    identity VARCHAR(32) NOT NULL,
    queues TEXT NOT NULL,
    home_only BOOLEAN NOT NULL,
    started_at BIGINT NOT NULL,
    alive_until BIGINT NOT NULL,
    progress TEXT NOT NULL,
    CONSTRAINT pk_worker PRIMARY KEY (id)
);
CREATE TABLE message (
    id BIGSERIAL NOT NULL,
    queue VARCHAR(64) NOT NULL,
    priority INTEGER DEFAULT '0' NOT NULL,
    state SMALLINT DEFAULT '0' NOT NULL,
    not_before BIGINT DEFAULT '0' NOT NULL,
    lease_until BIGINT,
    owner VARCHAR(32),
    tries INTEGER DEFAULT '0' NOT NULL,
    error TEXT,
    body BYTEA NOT NULL,
    CONSTRAINT pk_message PRIMARY KEY (id)
);
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
INSERT INTO alembic_version VALUES ('0001');
"""

_PARTIAL_INDEXES = """
CREATE INDEX ix_message_due ON message (not_before) WHERE state = 2;
CREATE INDEX ix_message_ready ON message (queue, priority, id) WHERE state = 0;
CREATE INDEX ix_message_lease ON message (lease_until) WHERE state = 1;
"""

_WHOLE_INDEXES = """
CREATE INDEX ix_message_due ON message (not_before);
CREATE INDEX ix_message_ready ON message (queue, priority, id);
CREATE INDEX ix_message_lease ON message (lease_until);
"""

_ROWS = f"""
INSERT INTO job (id, kind, queue, state, desired, dry_run, planned, spec, spec_hash, identity, concurrency, created_at, units,
    units_done, found, failed, bytes_found)
VALUES ('{_JOB_ID}', 'upload', 'upload', 'paused', 'pause', FALSE, TRUE, '{{}}', 'h', '', 7, 1, 2, 1, 2, 1, 20);
INSERT INTO unit (job_no, no, kind, first, last, state) VALUES (1, 0, 'plan', 0, -1, 3);
INSERT INTO unit (job_no, no, kind, first, last, state) VALUES (1, 1, 'carry', 0, 1, 1);
INSERT INTO transfer VALUES (1, 0, 1, 0, CAST('a' AS BYTEA), 'p/a', 10, 1, 2, 0, 0, 0, NULL, NULL, NULL, NULL, NULL);
INSERT INTO transfer VALUES (1, 1, 1, 0, CAST('b' AS BYTEA), 'p/b', 10, 1, 2, 5, 0, 3, 'access_denied', 'No.', NULL, NULL, NULL);
"""


def write_first_database(connection: Connection, *, sqlite: bool) -> str:
    """A paused job of two files, one of which failed; returns its id."""
    for statement in statements(_TABLES + (_PARTIAL_INDEXES if sqlite else _WHOLE_INDEXES) + _ROWS):
        connection.execute(statement)
    return _JOB_ID
