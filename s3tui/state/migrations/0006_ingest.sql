-- CSV files are ingested: cut into batches, whose rows come into the database with the mark in the ledger.

CREATE TABLE csv_file (
    job_no BIGINT NOT NULL,
    no BIGINT NOT NULL,
    facts TEXT NOT NULL,
    whole BOOLEAN NOT NULL DEFAULT FALSE,
    consumed BIGINT NOT NULL DEFAULT 0,
    cut BIGINT NOT NULL DEFAULT 0,
    landed BIGINT NOT NULL DEFAULT 0,
    batches BIGINT NOT NULL DEFAULT 0,
    batches_done BIGINT NOT NULL DEFAULT 0,
    inserted BIGINT NOT NULL DEFAULT 0,
    rejected BIGINT NOT NULL DEFAULT 0,
    rejects_url TEXT,
    reason VARCHAR(64),
    error TEXT,
    CONSTRAINT pk_csv_file PRIMARY KEY (job_no, no)
);

CREATE TABLE batch (
    job_no BIGINT NOT NULL,
    no BIGINT NOT NULL,
    file_no BIGINT NOT NULL,
    unit_no INTEGER NOT NULL,
    first BIGINT NOT NULL,
    line BIGINT NOT NULL,
    start BIGINT NOT NULL,
    length BIGINT NOT NULL,
    records BIGINT NOT NULL,
    lines BIGINT NOT NULL,
    done BOOLEAN NOT NULL DEFAULT FALSE,
    inserted BIGINT NOT NULL DEFAULT 0,
    rejected BIGINT NOT NULL DEFAULT 0,
    etag TEXT,
    proof VARCHAR(16),
    CONSTRAINT pk_batch PRIMARY KEY (job_no, no)
);
CREATE INDEX ix_batch_open ON batch (job_no, unit_no, no) WHERE NOT done;

CREATE TABLE reject (
    job_no BIGINT NOT NULL,
    file_no BIGINT NOT NULL,
    record BIGINT NOT NULL,
    line BIGINT NOT NULL,
    start BIGINT NOT NULL,
    reason VARCHAR(32) NOT NULL,
    detail TEXT NOT NULL,
    raw BYTEA NOT NULL,
    CONSTRAINT pk_reject PRIMARY KEY (job_no, file_no, record)
);

CREATE TABLE ingest_rows (
    job_id VARCHAR(26) NOT NULL,
    file INTEGER NOT NULL,
    line BIGINT NOT NULL,
    data JSONB NOT NULL
);
CREATE INDEX ix_ingest_rows_job_id ON ingest_rows (job_id, file, line);
