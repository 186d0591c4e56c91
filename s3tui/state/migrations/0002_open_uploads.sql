-- Multipart uploads are resumed to the part, endpoints are probed once, and a job has a limit of bandwidth.

ALTER TABLE job ADD COLUMN bandwidth BIGINT NOT NULL DEFAULT 0;

CREATE TABLE multipart (
    job_no BIGINT NOT NULL,
    no BIGINT NOT NULL,
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    upload_id TEXT,
    part_size BIGINT NOT NULL,
    size BIGINT NOT NULL,
    mtime_ns BIGINT NOT NULL,
    inode BIGINT NOT NULL,
    checksum VARCHAR(16) NOT NULL,
    intended_at BIGINT NOT NULL,
    swept_until BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT pk_multipart PRIMARY KEY (job_no, no)
);

CREATE TABLE part (
    job_no BIGINT NOT NULL,
    no BIGINT NOT NULL,
    part INTEGER NOT NULL,
    size BIGINT NOT NULL,
    checksum TEXT NOT NULL,
    etag TEXT NOT NULL,
    CONSTRAINT pk_part PRIMARY KEY (job_no, no, part)
);

CREATE TABLE profile (
    endpoint TEXT NOT NULL,
    profile TEXT NOT NULL,
    probed_at BIGINT NOT NULL,
    CONSTRAINT pk_profile PRIMARY KEY (endpoint)
);

-- Only failed files are looked for by their state; an entry for each file would be written twice in its life.
DROP INDEX ix_transfer_job_no_state_no;
CREATE INDEX ix_transfer_failed ON transfer (job_no, no) WHERE state = 5;

-- On PostgreSQL these three were whole.
DROP INDEX ix_message_ready;
DROP INDEX ix_message_due;
DROP INDEX ix_message_lease;
CREATE INDEX ix_message_ready ON message (queue, priority, id) WHERE state = 0;
CREATE INDEX ix_message_due ON message (not_before) WHERE state = 2;
CREATE INDEX ix_message_lease ON message (lease_until) WHERE state = 1;
