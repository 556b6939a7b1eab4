//! Making a key.

use bailiwick_model::key::{Audience, Key};
use bailiwick_model::{Clock, Entropy, KeyId, PrincipalId, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;

use super::text::{MARK, PREFIX, sha256};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What a new key shall be.
#[derive(Debug, Clone)]
pub struct KeyRequest {
    /// Whose it is.
    pub principal: PrincipalId,
    /// What people call it.
    pub label: String,
    /// What it opens.
    pub audience: Audience,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
}

/// A key that was just made: the only moment at which its text exists.
#[derive(Debug)]
pub struct NewKey {
    /// The text, to be shown once.
    pub text: SecretString,
    /// What is kept.
    pub key: Key,
}

impl NewKey {
    /// Makes a key.
    pub fn mint(clock: &dyn Clock, entropy: &dyn Entropy, request: KeyRequest) -> Self {
        let now = clock.now();
        let prefix = prefix(entropy);
        let text = format!("{MARK}{prefix}_{}", token(entropy));
        let key = Key {
            id: KeyId::new(now, entropy),
            principal: request.principal,
            label: request.label,
            prefix,
            hash: sha256(text.as_bytes()),
            audience: request.audience,
            expires_at: request.expires_at,
            revoked_at: None,
            last_used_at: None,
            created_at: now,
        };
        Self { text: text.into(), key }
    }
}

/// 256 bits of chance in base64url.
pub(crate) fn token(entropy: &dyn Entropy) -> String {
    let mut secret = [0; 32];
    entropy.fill(&mut secret);
    URL_SAFE_NO_PAD.encode(secret)
}

fn prefix(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    let mut rest = u128::from_be_bytes(bytes);
    let mut text = String::with_capacity(PREFIX);
    for _ in 0..PREFIX {
        let digit = usize::try_from(rest % 62).unwrap_or_default();
        text.extend(BASE62.get(digit).copied().map(char::from));
        rest /= 62;
    }
    text
}
