-- The REST API: who may use it, which requests came twice, and the bodies that wait for their jobs.

CREATE TABLE api_token (
    id VARCHAR(16) NOT NULL,
    hash VARCHAR(64) NOT NULL,
    scope VARCHAR(8) NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    used_at BIGINT,
    CONSTRAINT pk_api_token PRIMARY KEY (id)
);

CREATE TABLE api_request (
    token_id VARCHAR(16) NOT NULL,
    key VARCHAR(255) NOT NULL,
    request TEXT NOT NULL,
    body_hash VARCHAR(64),
    job_id VARCHAR(26) NOT NULL,
    done BOOLEAN NOT NULL DEFAULT FALSE,
    owner VARCHAR(26) NOT NULL,
    held_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT pk_api_request PRIMARY KEY (token_id, key)
);

CREATE TABLE api_body (
    id VARCHAR(26) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    name TEXT NOT NULL,
    options TEXT NOT NULL,
    token_id VARCHAR(16) NOT NULL,
    size BIGINT NOT NULL,
    sha256 VARCHAR(64),
    tus TEXT,
    expires_at BIGINT,
    created_at BIGINT NOT NULL,
    CONSTRAINT pk_api_body PRIMARY KEY (id)
);
CREATE INDEX ix_api_body_expires_at ON api_body (expires_at) WHERE expires_at IS NOT NULL;
