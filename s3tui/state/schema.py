"""The tables, column by column. A new database is made of this text; a test holds it against what migrations make of an old one.

Times are milliseconds since 1970, UTC. States of files and actions are the numbers of `s3tui.model`.

Who writes what: faces write `job` (through the service), workers write everything else. Each worker process writes facts from one
thread (see `state.journal`). Rows of `transfer`, `multipart` and `part` are changed only by the worker that holds the lease of
their unit; the fencing token of the lease is checked in the same transaction. What a cancelled job left open is swept without one.
"""

from __future__ import annotations

SCHEMA = """
CREATE TABLE job (
    no BIGSERIAL NOT NULL,               -- short key of all child rows, never shown
    id VARCHAR(26) NOT NULL,             -- ULID, what people see
    kind VARCHAR(16) NOT NULL,
    queue VARCHAR(32) NOT NULL,          -- the queue whose workers may take its units
    state VARCHAR(16) NOT NULL,          -- model.JobState
    desired VARCHAR(8) NOT NULL,         -- model.Desired: what a person wants
    dry_run BOOLEAN NOT NULL,            -- stop after planning, `apply` clears it
    applied BOOLEAN NOT NULL DEFAULT FALSE, -- a person has read the plan: exactly that is to be carried
    planned BOOLEAN NOT NULL,            -- the scan has ended: `found` is final
    spec TEXT NOT NULL,                  -- JSON, ASCII
    spec_hash VARCHAR(32) NOT NULL,      -- finds the unfinished job of the same command
    place VARCHAR(32) NOT NULL DEFAULT '', -- finds earlier jobs from the same sources to the same target
    identity VARCHAR(32) NOT NULL,       -- workers must hold these credentials, empty: any
    home VARCHAR(64),                    -- the one worker that may take units, while it is alive
    concurrency INTEGER NOT NULL,        -- transfers in flight per worker
    bandwidth BIGINT NOT NULL DEFAULT 0, -- bytes per second and worker, 0: no limit
    reason VARCHAR(64),                  -- stable word of what failed or paused the whole job
    error TEXT,                          -- its sentence
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    announced BOOLEAN NOT NULL DEFAULT FALSE, -- this end of it has been told to the webhook, if there is one
    vantage VARCHAR(160) NOT NULL DEFAULT '', -- from where its sources are seen: see state.sightings
    landmarks TEXT NOT NULL DEFAULT '',  -- JSON: what they are recognized by elsewhere; see transfer.landmarks
    -- Counters, kept in the transaction that changes the rows they count.
    units INTEGER NOT NULL DEFAULT 0,
    units_done INTEGER NOT NULL DEFAULT 0,
    found BIGINT NOT NULL DEFAULT 0,     -- also the next transfer number
    uploaded BIGINT NOT NULL DEFAULT 0,
    skipped BIGINT NOT NULL DEFAULT 0,
    failed BIGINT NOT NULL DEFAULT 0,
    deleted BIGINT NOT NULL DEFAULT 0,
    retries BIGINT NOT NULL DEFAULT 0,
    bytes_found BIGINT NOT NULL DEFAULT 0,
    bytes BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT pk_job PRIMARY KEY (no),
    CONSTRAINT uq_job_id UNIQUE (id)
);
CREATE INDEX ix_job_spec_hash ON job (spec_hash);
CREATE INDEX ix_job_place ON job (place);

CREATE TABLE unit (
    job_no BIGINT NOT NULL,
    no INTEGER NOT NULL,                 -- 0 plans, the others carry
    kind VARCHAR(8) NOT NULL,            -- model.UnitKind
    first BIGINT NOT NULL,               -- its transfers lie between these two numbers, both included
    last BIGINT NOT NULL,
    state SMALLINT NOT NULL,             -- 0 held back, 1 ready, 2 leased, 3 done
    worker VARCHAR(64),                  -- who holds the lease
    token INTEGER NOT NULL DEFAULT 0,    -- fencing: +1 at each claim
    lease_until BIGINT,                  -- by the database's clock
    attempts INTEGER NOT NULL DEFAULT 0, -- claims that ended in a crash or an unknown error
    CONSTRAINT pk_unit PRIMARY KEY (job_no, no)
);
CREATE INDEX ix_unit_state_job_no_no ON unit (state, job_no, no);

CREATE TABLE transfer (
    job_no BIGINT NOT NULL,
    no BIGINT NOT NULL,                  -- dense within the job, from 0, in the order of the scan
    unit_no INTEGER,                     -- the unit that carries it, null: no unit does
    source_no SMALLINT NOT NULL,         -- which of the spec's sources
    path BYTEA NOT NULL,                 -- relative to the source, the file system's own bytes
    key TEXT,                            -- null: the name cannot be a key
    size BIGINT NOT NULL,                -- as planned, then as sent
    mtime_ns BIGINT NOT NULL,            -- likewise
    inode BIGINT NOT NULL,               -- likewise; lower 63 bits
    state SMALLINT NOT NULL,             -- model.FileState
    action SMALLINT NOT NULL,            -- model.Action
    attempts SMALLINT NOT NULL,
    reason VARCHAR(64),                  -- stable word, set when skipped or failed
    error TEXT,                          -- sentence, set when failed
    checksum TEXT,                       -- algorithm:BASE64 over the whole object
    etag TEXT,
    version_id TEXT,
    proof VARCHAR(16),                   -- model.Proof: how it is known that the object holds the source's bytes
    verified_at BIGINT,                  -- since when
    deleting BOOLEAN NOT NULL DEFAULT FALSE, -- its source is about to be deleted, or gone already
    CONSTRAINT pk_transfer PRIMARY KEY (job_no, no)
) WITHOUT ROWID;
CREATE INDEX ix_transfer_failed ON transfer (job_no, no) WHERE state = 5; -- the only state that is looked for among many rows

-- What a watching job has taken of its sources: one row for each path, the newest.
CREATE TABLE watched (
    job_no BIGINT NOT NULL,
    source_no SMALLINT NOT NULL,
    path BYTEA NOT NULL,                 -- relative to the source
    no BIGINT NOT NULL,                  -- the newest transfer of it
    CONSTRAINT pk_watched PRIMARY KEY (job_no, source_no, path)
) WITHOUT ROWID;

-- Videos that have begun to have objects; a video that has none any more has no row.
CREATE TABLE video (
    job_no BIGINT NOT NULL,
    no BIGINT NOT NULL,                  -- the transfer's
    url TEXT,                            -- of the master playlist; NULL until it is published
    renditions TEXT,                     -- JSON: name, width, height, max_rate, bytes of each, the best first
    swept_until BIGINT NOT NULL DEFAULT 0, -- a sweeper removes what is there, until then
    CONSTRAINT pk_video PRIMARY KEY (job_no, no)
);

-- CSV files of ingest jobs, from the moment their header is read.
CREATE TABLE csv_file (
    job_no BIGINT NOT NULL,
    no BIGINT NOT NULL,                  -- the transfer's
    facts TEXT NOT NULL,                 -- JSON: how the file is written, its columns, what a plan shows of it
    whole BOOLEAN NOT NULL DEFAULT FALSE, -- it is cut to its end: `batches` is final
    consumed BIGINT NOT NULL DEFAULT 0,  -- bytes of the file that its batches were cut from
    cut BIGINT NOT NULL DEFAULT 0,       -- the same, decompressed
    landed BIGINT NOT NULL DEFAULT 0,    -- of `cut`, the bytes of batches that are done
    batches BIGINT NOT NULL DEFAULT 0,
    batches_done BIGINT NOT NULL DEFAULT 0,
    inserted BIGINT NOT NULL DEFAULT 0,  -- rows, of the batches that are done
    rejected BIGINT NOT NULL DEFAULT 0,
    rejects_url TEXT,                    -- where rejects.csv is
    reason VARCHAR(64),                  -- it fails: nothing more of it lands, and what has landed is being taken back
    error TEXT,                          -- its sentence
    CONSTRAINT pk_csv_file PRIMARY KEY (job_no, no)
);

-- Ranges of rows: the plan of an ingest job, and its ledger. `done` is set in the transaction that brings the rows.
CREATE TABLE batch (
    job_no BIGINT NOT NULL,
    no BIGINT NOT NULL,                  -- from 1, through all files of the job
    file_no BIGINT NOT NULL,             -- the transfer's
    unit_no INTEGER NOT NULL,
    first BIGINT NOT NULL,               -- number of its first record in the file, from 1
    line BIGINT NOT NULL,                -- on which that begins, from 1
    start BIGINT NOT NULL,               -- its first byte in the decompressed file
    length BIGINT NOT NULL,
    records BIGINT NOT NULL,
    lines BIGINT NOT NULL,
    done BOOLEAN NOT NULL DEFAULT FALSE, -- its object is proven, and its rows are in the database
    inserted BIGINT NOT NULL DEFAULT 0,
    rejected BIGINT NOT NULL DEFAULT 0,
    etag TEXT,                           -- of its object
    proof VARCHAR(16),                   -- model.Proof of that
    payload BYTEA,                       -- its bytes until it is done, if workers cannot reach the file
    CONSTRAINT pk_batch PRIMARY KEY (job_no, no)
);
CREATE INDEX ix_batch_open ON batch (job_no, unit_no, no) WHERE NOT done;

-- Records of done batches that are no rows.
CREATE TABLE reject (
    job_no BIGINT NOT NULL,
    file_no BIGINT NOT NULL,
    record BIGINT NOT NULL,              -- its number in the file, from 1
    line BIGINT NOT NULL,
    start BIGINT NOT NULL,               -- its first byte in the decompressed file
    reason VARCHAR(32) NOT NULL,         -- stable word
    detail TEXT NOT NULL,
    raw BYTEA NOT NULL,                  -- the file's own bytes
    CONSTRAINT pk_reject PRIMARY KEY (job_no, file_no, record)
);

-- Rows of CSV files, for everybody to read.
CREATE TABLE ingest_rows (
    job_id VARCHAR(26) NOT NULL,
    file INTEGER NOT NULL,               -- which FILE of the job, from 1
    line BIGINT NOT NULL,                -- on which the row begins in it, from 1
    data JSONB NOT NULL                  -- an object with the columns' names
);
CREATE INDEX ix_ingest_rows_job_id ON ingest_rows (job_id, file, line);

-- Multipart uploads that were begun and neither completed nor aborted. The row is there before the store hears of the upload.
CREATE TABLE multipart (
    job_no BIGINT NOT NULL,
    no BIGINT NOT NULL,                  -- the transfer's
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    upload_id TEXT,                      -- null: the store's answer is not known, and there may be an upload or none
    part_size BIGINT NOT NULL,           -- chosen once, never computed again
    size BIGINT NOT NULL,                -- these three: the file as it was opened
    mtime_ns BIGINT NOT NULL,
    inode BIGINT NOT NULL,
    checksum VARCHAR(16) NOT NULL,       -- the algorithm
    intended_at BIGINT NOT NULL,         -- what is older on the store is not ours
    swept_until BIGINT NOT NULL DEFAULT 0, -- until when one worker has taken it on itself to abort it, by the database's clock
    CONSTRAINT pk_multipart PRIMARY KEY (job_no, no)
);

-- Their parts, as far as the store has confirmed them.
CREATE TABLE part (
    job_no BIGINT NOT NULL,
    no BIGINT NOT NULL,
    part INTEGER NOT NULL,               -- from 1
    size BIGINT NOT NULL,
    checksum TEXT NOT NULL,              -- BASE64 over the part alone
    etag TEXT NOT NULL,
    CONSTRAINT pk_part PRIMARY KEY (job_no, no, part)
);

CREATE TABLE worker (
    id VARCHAR(64) NOT NULL,
    host TEXT NOT NULL,                  -- host name and boot id: a pid means something only within one boot
    pid INTEGER NOT NULL,
    version TEXT NOT NULL,
    identity VARCHAR(32) NOT NULL,       -- fingerprint of the credentials it holds
    queues TEXT NOT NULL,                -- names, separated by commas
    home_only BOOLEAN NOT NULL,          -- works on one job of its own (a headless command)
    started_at BIGINT NOT NULL,
    alive_until BIGINT NOT NULL,         -- by the database's clock, passed: dead
    progress TEXT NOT NULL,              -- JSON sample of what is in flight
    vantage VARCHAR(160) NOT NULL DEFAULT '', -- from where it sees files
    CONSTRAINT pk_worker PRIMARY KEY (id)
);

-- From where the sources of jobs were looked for, with a shared database. Where none is, they have not been.
CREATE TABLE sighting (
    job_no BIGINT NOT NULL,
    vantage VARCHAR(160) NOT NULL,       -- host name, boot and space of mounts
    sees BOOLEAN NOT NULL,
    told TEXT NOT NULL,                  -- what there is instead
    looked_at BIGINT NOT NULL,           -- by the database's clock
    CONSTRAINT pk_sighting PRIMARY KEY (job_no, vantage)
);

-- How far a job was, time after time since it began: a few hundred rows, thinned as it gets long. See state.samples.
CREATE TABLE sample (
    job_no BIGINT NOT NULL,
    no INTEGER NOT NULL,                 -- whole seconds since the job began
    at BIGINT NOT NULL,                  -- by the database's clock
    bytes BIGINT NOT NULL,               -- these as the job counts them: stored or in flight, of CSV files landed
    files BIGINT NOT NULL,               -- uploaded or skipped
    row_count BIGINT NOT NULL,           -- of CSV files, read
    failed BIGINT NOT NULL,
    retries BIGINT NOT NULL,
    CONSTRAINT pk_sample PRIMARY KEY (job_no, no)
) WITHOUT ROWID;

-- What endpoints were found to support.
CREATE TABLE profile (
    endpoint TEXT NOT NULL,
    profile TEXT NOT NULL,               -- JSON
    probed_at BIGINT NOT NULL,
    CONSTRAINT pk_profile PRIMARY KEY (endpoint)
);

-- The queue on SQLite, an outbox in front of RabbitMQ.
CREATE TABLE message (
    id BIGSERIAL NOT NULL,
    queue VARCHAR(64) NOT NULL,
    priority INTEGER NOT NULL DEFAULT 0, -- lower first, as Dramatiq has it
    state SMALLINT NOT NULL DEFAULT 0,   -- 0 ready, 1 leased, 2 delayed, 3 dead
    not_before BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT,
    owner VARCHAR(32),                   -- random token of the claim
    tries INTEGER NOT NULL DEFAULT 0,
    error TEXT,                          -- why it is dead
    body BYTEA NOT NULL,                 -- an encoded Dramatiq message
    CONSTRAINT pk_message PRIMARY KEY (id)
);
CREATE INDEX ix_message_ready ON message (queue, priority, id) WHERE state = 0;
CREATE INDEX ix_message_due ON message (not_before) WHERE state = 2;
CREATE INDEX ix_message_lease ON message (lease_until) WHERE state = 1;

-- Ends of jobs that the webhook has not taken yet: an outbox. All its times are by the database's clock.
CREATE TABLE webhook (
    id VARCHAR(30) NOT NULL,             -- what receivers know it by, the same at every attempt: msg_ and a ULID
    job_no BIGINT NOT NULL,
    body TEXT NOT NULL,                  -- JSON, ASCII, as it is signed and sent
    created_at BIGINT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, -- claims; the newest fences off the others
    due BIGINT NOT NULL,                 -- when it may be claimed: after a pause, or when the claim of a dead worker ends
    CONSTRAINT pk_webhook PRIMARY KEY (id)
);
CREATE INDEX ix_webhook_due ON webhook (due);

-- Who may use the REST API. The token itself is kept nowhere.
CREATE TABLE api_token (
    id VARCHAR(16) NOT NULL,             -- the middle of s3t_ID_SECRET, no secret
    hash VARCHAR(64) NOT NULL,           -- SHA-256 of the whole token, in hex
    scope VARCHAR(8) NOT NULL,           -- read, or write, which is more
    name TEXT NOT NULL,                  -- what people call it
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    used_at BIGINT,                      -- last, to the minute
    CONSTRAINT pk_api_token PRIMARY KEY (id)
);

-- Requests with an Idempotency-Key.
CREATE TABLE api_request (
    token_id VARCHAR(16) NOT NULL,
    key VARCHAR(255) NOT NULL,
    request TEXT NOT NULL,               -- method, path and query: the same key may not be used for another
    body_hash VARCHAR(64),               -- SHA-256 of the body, in hex; null: it has not come to its end
    job_id VARCHAR(26) NOT NULL,         -- the job that it makes or steers
    done BOOLEAN NOT NULL DEFAULT FALSE, -- it was answered
    owner VARCHAR(26) NOT NULL,          -- the one attempt that may go on with it
    held_until BIGINT NOT NULL,          -- by the database's clock; passed: whoever answered it is dead
    created_at BIGINT NOT NULL,
    CONSTRAINT pk_api_request PRIMARY KEY (token_id, key)
);

-- Bodies that came through the REST API, each with the id of the job that it becomes; where they are is the API's affair.
CREATE TABLE api_body (
    id VARCHAR(26) NOT NULL,
    kind VARCHAR(16) NOT NULL,           -- of the job
    name TEXT NOT NULL,                  -- as it was sent, made safe
    options TEXT NOT NULL,               -- JSON: what was asked of the job
    token_id VARCHAR(16) NOT NULL,       -- who sent it
    size BIGINT NOT NULL,                -- of a resumable upload: as it will be
    sha256 VARCHAR(64),                  -- in hex; null: it did not come at one go
    tus TEXT,                            -- the Upload-Metadata of a resumable upload; null: it is none
    expires_at BIGINT,                   -- when a resumable upload that is not whole is given up; null: it is whole
    created_at BIGINT NOT NULL,
    CONSTRAINT pk_api_body PRIMARY KEY (id)
);
CREATE INDEX ix_api_body_expires_at ON api_body (expires_at) WHERE expires_at IS NOT NULL;
"""
