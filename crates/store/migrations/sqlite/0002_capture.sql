-- What the ledger holds of the payloads of a server's calls, as JSON.
ALTER TABLE servers ADD COLUMN capture TEXT NOT NULL DEFAULT '{}';
