-- How far a job was, time after time.

CREATE TABLE sample (
    job_no BIGINT NOT NULL,
    no INTEGER NOT NULL,
    at BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    files BIGINT NOT NULL,
    row_count BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    retries BIGINT NOT NULL,
    CONSTRAINT pk_sample PRIMARY KEY (job_no, no)
) WITHOUT ROWID;
