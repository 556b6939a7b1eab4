-- The index over the ledgers: derived, and made anew from the segments whenever it is lost. A file of its
-- own, with the records of one ledger, so that their index is the row's key.
-- Moments are microseconds since 1970; ids, traces and spans are their bytes.

CREATE TABLE indexed_ledgers (
    node INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    next BIGINT NOT NULL,
    last BLOB NOT NULL,
    CONSTRAINT indexed_ledgers_name_key UNIQUE (name)
);

-- One row per record, but that an outcome completes the row of its call. `notable` is 1 for what is looked for:
-- everything but calls and local answers that are under way or ended well. It is rare, so its indexes are small.
CREATE TABLE indexed_records (
    idx INTEGER NOT NULL PRIMARY KEY,
    node INTEGER NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    notable INTEGER NOT NULL,
    call BLOB,
    parent_call BLOB,
    principal BLOB,
    issuer TEXT,
    subject TEXT,
    team BLOB,
    client TEXT,
    session TEXT,
    server BLOB,
    server_name TEXT,
    definition_kind TEXT,
    definition_key TEXT,
    method TEXT,
    about TEXT,
    decision TEXT,
    reason TEXT,
    trace BLOB,
    span BLOB,
    parent_span BLOB,
    arguments_bytes BIGINT,
    outcome BIGINT,
    status TEXT,
    code BIGINT,
    result_bytes BIGINT,
    policy_us BIGINT,
    upstream_us BIGINT,
    total_us BIGINT
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

-- Row 2n holds the words of record n, row 2n + 1 those of the outcome that completes it. They come folded and
-- separated by spaces, so the tokenizer has nothing left to decide. The words themselves are not kept.
CREATE VIRTUAL TABLE indexed_words USING fts5 (
    words, content = '', contentless_delete = 1, detail = 'none', tokenize = 'ascii'
);
