-- Workers on many machines: which of them see the sources of a job.

ALTER TABLE job ADD COLUMN vantage VARCHAR(160) NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN landmarks TEXT NOT NULL DEFAULT '';
ALTER TABLE worker ADD COLUMN vantage VARCHAR(160) NOT NULL DEFAULT '';

CREATE TABLE sighting (
    job_no BIGINT NOT NULL,
    vantage VARCHAR(160) NOT NULL,
    sees BOOLEAN NOT NULL,
    told TEXT NOT NULL,
    looked_at BIGINT NOT NULL,
    CONSTRAINT pk_sighting PRIMARY KEY (job_no, vantage)
);
