-- The index over the ledgers: derived, and made anew from the segments whenever it is lost. The nodes of
-- one installation share it.
-- Moments are microseconds since 1970; ids, traces and spans are their bytes.

CREATE TABLE indexed_ledgers (
    node BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    next BIGINT NOT NULL,
    last BYTEA NOT NULL,
    CONSTRAINT indexed_ledgers_name_key UNIQUE (name)
);

-- One row per record, but that an outcome completes the row of its call. `notable` is 1 for what is looked for:
-- everything but calls and local answers that are under way or ended well. It is rare, so its indexes are small.
CREATE TABLE indexed_records (
    idx BIGINT NOT NULL,
    node BIGINT NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    notable BIGINT NOT NULL,
    call BYTEA,
    parent_call BYTEA,
    principal BYTEA,
    issuer TEXT,
    subject TEXT,
    team BYTEA,
    client TEXT,
    session TEXT,
    server BYTEA,
    server_name TEXT,
    definition_kind TEXT,
    definition_key TEXT,
    method TEXT,
    about TEXT,
    decision TEXT,
    reason TEXT,
    trace BYTEA,
    span BYTEA,
    parent_span BYTEA,
    arguments_bytes BIGINT,
    outcome BIGINT,
    status TEXT,
    code BIGINT,
    result_bytes BIGINT,
    policy_us BIGINT,
    upstream_us BIGINT,
    total_us BIGINT,
    PRIMARY KEY (node, idx)
);

CREATE INDEX records_at ON indexed_records (at);
CREATE INDEX records_call ON indexed_records (call, at) WHERE call IS NOT NULL;
CREATE INDEX records_trace ON indexed_records (trace, at) WHERE trace IS NOT NULL;
CREATE INDEX records_session ON indexed_records (session, at) WHERE session IS NOT NULL;
CREATE INDEX records_principal ON indexed_records (principal, at) WHERE principal IS NOT NULL;
CREATE INDEX records_subject ON indexed_records (subject, at) WHERE subject IS NOT NULL;
CREATE INDEX records_server ON indexed_records (server, at) WHERE server IS NOT NULL;
CREATE INDEX records_server_name ON indexed_records (server_name, at) WHERE server_name IS NOT NULL;
CREATE INDEX records_definition_key ON indexed_records (definition_key, at) WHERE definition_key IS NOT NULL;
CREATE INDEX notable_at ON indexed_records (at) WHERE notable = 1;
CREATE INDEX notable_principal ON indexed_records (principal, at) WHERE notable = 1;
CREATE INDEX notable_subject ON indexed_records (subject, at) WHERE notable = 1;
CREATE INDEX notable_server ON indexed_records (server, at) WHERE notable = 1;
CREATE INDEX notable_server_name ON indexed_records (server_name, at) WHERE notable = 1;
CREATE INDEX notable_definition_key ON indexed_records (definition_key, at) WHERE notable = 1;
CREATE INDEX notable_kind ON indexed_records (kind, at) WHERE notable = 1;
CREATE INDEX notable_status ON indexed_records (status, at) WHERE notable = 1;
CREATE INDEX notable_reason ON indexed_records (reason, at) WHERE notable = 1;
CREATE INDEX notable_decision ON indexed_records (decision, at) WHERE notable = 1;

-- Part 0 holds the words of a record, part 1 those of the outcome that completes it.
CREATE TABLE indexed_words (
    node BIGINT NOT NULL,
    idx BIGINT NOT NULL,
    part BIGINT NOT NULL,
    at BIGINT NOT NULL,
    words TSVECTOR NOT NULL,
    PRIMARY KEY (node, idx, part)
);
CREATE INDEX words_at ON indexed_words (at, idx);
CREATE INDEX words_words ON indexed_words USING GIN (words);
