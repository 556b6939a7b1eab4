//! API keys: what the store keeps of them, and the table by which the data path knows them.
//!
//! The text of a key is `bwk_{prefix}_{secret}`. It is shown once; what remains is the prefix, by which
//! people and tables find it, and the SHA-256 of the whole text (the secret has 256 bits of chance, so a
//! slow hash would add nothing).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::principal::Principal;
use crate::{KeyId, PrincipalId, QuickMap, Timestamp};

/// A key as kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its id.
    pub id: KeyId,
    /// Whose it is.
    pub principal: PrincipalId,
    /// What people call it.
    pub label: String,
    /// Its visible part, unique.
    pub prefix: String,
    /// SHA-256 of the whole text. Not a secret that opens anything, but nobody needs to see it.
    #[serde(skip)]
    pub hash: [u8; 32],
    /// What it opens.
    pub audience: Audience,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// When it was last seen, to the minute or so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Which doors a key opens. One key never opens both, so that an agent's key cannot administer and an
/// administrator's key cannot be lent to an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The MCP endpoints.
    Mcp,
    /// The admin API.
    Admin,
}

impl Audience {
    /// The word for it in records and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mcp => "mcp",
            Self::Admin => "admin",
        }
    }
}

/// A key as the data path knows it.
#[derive(Debug, Clone)]
pub struct KeyEntry {
    /// The key.
    pub key: KeyId,
    /// SHA-256 of the whole text.
    pub hash: [u8; 32],
    /// What it opens.
    pub audience: Audience,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// It was revoked. Kept in the table so that its use can be told from an invention.
    pub revoked: bool,
    /// Whose it is.
    pub principal: Arc<Principal>,
}

/// All keys by their visible part: built by `control`, carried by the snapshot, read by `identity`.
#[derive(Debug, Clone, Default)]
pub struct KeyTable {
    by_prefix: QuickMap<Box<str>, KeyEntry>,
    by_id: QuickMap<KeyId, Box<str>>,
}

impl KeyTable {
    /// The key of this visible part.
    pub fn get(&self, prefix: &str) -> Option<&KeyEntry> {
        self.by_prefix.get(prefix)
    }

    /// The key of this id: for streams, which outlive the request that showed the key.
    pub fn by_id(&self, id: KeyId) -> Option<&KeyEntry> {
        self.by_prefix.get(self.by_id.get(&id)?)
    }

    /// How many keys there are, revoked ones included.
    pub fn len(&self) -> usize {
        self.by_prefix.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_prefix.is_empty()
    }
}

impl FromIterator<(Box<str>, KeyEntry)> for KeyTable {
    fn from_iter<I: IntoIterator<Item = (Box<str>, KeyEntry)>>(entries: I) -> Self {
        let by_prefix: QuickMap<Box<str>, KeyEntry> = entries.into_iter().collect();
        let by_id = by_prefix.iter().map(|(prefix, entry)| (entry.key, prefix.clone())).collect();
        Self { by_prefix, by_id }
    }
}
