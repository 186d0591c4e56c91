-- Videos have a prefix of their own, and are published there.

CREATE TABLE video (
    job_no BIGINT NOT NULL,
    no BIGINT NOT NULL,
    url TEXT,
    renditions TEXT,
    swept_until BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT pk_video PRIMARY KEY (job_no, no)
);
