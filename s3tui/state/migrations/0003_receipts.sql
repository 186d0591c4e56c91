-- Stored objects are proven before their sources are deleted, plans are applied as they were read, and jobs may watch their sources.

ALTER TABLE job ADD COLUMN place VARCHAR(32) NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN applied BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX ix_job_place ON job (place);

ALTER TABLE transfer ADD COLUMN proof VARCHAR(16);
ALTER TABLE transfer ADD COLUMN verified_at BIGINT;
ALTER TABLE transfer ADD COLUMN deleting BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE watched (
    job_no BIGINT NOT NULL,
    source_no SMALLINT NOT NULL,
    path BYTEA NOT NULL,
    no BIGINT NOT NULL,
    CONSTRAINT pk_watched PRIMARY KEY (job_no, source_no, path)
) WITHOUT ROWID;
