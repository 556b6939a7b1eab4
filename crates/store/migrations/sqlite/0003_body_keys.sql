-- Keys for bodies in the ledger, wrapped; one in use for each principal and class. A row stays when its key is destroyed,
-- and outlives its principal, so that the ledger's ciphertext can always be told what became of its key.
CREATE TABLE body_keys (
    id TEXT NOT NULL PRIMARY KEY,
    principal TEXT NOT NULL,
    class TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    sealed BLOB,
    destroyed_at BIGINT,
    destroyed_by TEXT,
    reason TEXT,
    CONSTRAINT body_keys_destroyed CHECK (
        (sealed IS NULL) = (destroyed_at IS NOT NULL) AND (destroyed_at IS NULL) = (reason IS NULL)
    )
);
CREATE UNIQUE INDEX body_keys_live ON body_keys (principal, class) WHERE destroyed_at IS NULL;
