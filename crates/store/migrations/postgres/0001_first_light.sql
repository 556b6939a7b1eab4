-- Moments are microseconds since 1970; ids are their written form; JSON is text, kept byte for byte.
-- Ids are compared by their bytes (COLLATE "C"), so that lists are in the same order as in SQLite.

CREATE TABLE generation (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    value BIGINT NOT NULL
);
INSERT INTO generation (id, value) VALUES (1, 0);

CREATE TABLE teams (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT teams_name_key UNIQUE (name)
);

CREATE TABLE principals (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    display_name TEXT NOT NULL,
    team TEXT NOT NULL REFERENCES teams (id),
    role TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT principals_issuer_subject_key UNIQUE (issuer, subject)
);
CREATE INDEX principals_team ON principals (team);

CREATE TABLE groups (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT groups_name_key UNIQUE (name)
);

CREATE TABLE group_members (
    group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    principal TEXT NOT NULL REFERENCES principals (id) ON DELETE CASCADE,
    CONSTRAINT group_members_pkey PRIMARY KEY (group_id, principal)
);
CREATE INDEX group_members_principal ON group_members (principal);

CREATE TABLE servers (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    team TEXT NOT NULL REFERENCES teams (id),
    description TEXT NOT NULL,
    transport TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    timeouts TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT servers_name_key UNIQUE (name)
);
CREATE INDEX servers_team ON servers (team);

CREATE TABLE server_secrets (
    server TEXT NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    CONSTRAINT server_secrets_pkey PRIMARY KEY (server, name)
);

-- One row per server that was ever asked. The first four columns are of the last success, if there was one.
CREATE TABLE discoveries (
    server TEXT NOT NULL PRIMARY KEY REFERENCES servers (id) ON DELETE CASCADE,
    eras TEXT,
    hello TEXT,
    dropped TEXT,
    discovered_at BIGINT,
    failed_at BIGINT,
    failure TEXT
);

CREATE TABLE definitions (
    server TEXT NOT NULL REFERENCES discoveries (server) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    raw TEXT NOT NULL,
    hash BYTEA NOT NULL,
    annotations TEXT NOT NULL,
    CONSTRAINT definitions_pkey PRIMARY KEY (server, position),
    CONSTRAINT definitions_server_kind_key_key UNIQUE (server, kind, key)
);

CREATE TABLE toolsets (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    team TEXT NOT NULL REFERENCES teams (id),
    description TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT toolsets_name_key UNIQUE (name)
);
CREATE INDEX toolsets_team ON toolsets (team);

CREATE TABLE selections (
    toolset TEXT NOT NULL REFERENCES toolsets (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    server TEXT NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
    kind TEXT,
    key TEXT,
    CONSTRAINT selections_pkey PRIMARY KEY (toolset, position)
);
CREATE INDEX selections_server ON selections (server);

-- A grant on a definition outlives the definition, so that one that comes back is not lost; it goes with
-- the server.
CREATE TABLE grants (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    principal TEXT REFERENCES principals (id) ON DELETE CASCADE,
    group_id TEXT REFERENCES groups (id) ON DELETE CASCADE,
    server TEXT REFERENCES servers (id) ON DELETE CASCADE,
    toolset TEXT REFERENCES toolsets (id) ON DELETE CASCADE,
    kind TEXT,
    key TEXT,
    actions TEXT NOT NULL,
    expires_at BIGINT,
    created_at BIGINT NOT NULL,
    CONSTRAINT grants_one_grantee CHECK ((principal IS NULL) <> (group_id IS NULL)),
    CONSTRAINT grants_one_scope CHECK ((server IS NULL) <> (toolset IS NULL)),
    CONSTRAINT grants_definition_whole CHECK (
        (kind IS NULL) = (key IS NULL) AND (kind IS NULL OR server IS NOT NULL)
    )
);
CREATE INDEX grants_principal ON grants (principal);
CREATE INDEX grants_group ON grants (group_id);
CREATE INDEX grants_server ON grants (server);
CREATE INDEX grants_toolset ON grants (toolset);

CREATE TABLE keys (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    principal TEXT NOT NULL REFERENCES principals (id) ON DELETE CASCADE,
    label TEXT NOT NULL,
    prefix TEXT NOT NULL,
    hash BYTEA NOT NULL,
    audience TEXT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    last_used_at BIGINT,
    created_at BIGINT NOT NULL,
    CONSTRAINT keys_prefix_key UNIQUE (prefix)
);
CREATE INDEX keys_principal ON keys (principal);

CREATE TABLE admin_links (
    token_hash BYTEA NOT NULL,
    principal TEXT NOT NULL REFERENCES principals (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    created_at BIGINT NOT NULL,
    CONSTRAINT admin_links_pkey PRIMARY KEY (token_hash)
);
CREATE INDEX admin_links_principal ON admin_links (principal);

CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
