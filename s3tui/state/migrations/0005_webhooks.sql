-- The end of a job is told to a webhook. What ended before is not.

ALTER TABLE job ADD COLUMN announced BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE job SET announced = TRUE WHERE state IN ('cancelled', 'partial', 'completed', 'failed');

CREATE TABLE webhook (
    id VARCHAR(30) NOT NULL,
    job_no BIGINT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due BIGINT NOT NULL,
    CONSTRAINT pk_webhook PRIMARY KEY (id)
);
CREATE INDEX ix_webhook_due ON webhook (due);
