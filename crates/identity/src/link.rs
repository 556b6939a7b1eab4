//! The one-time admin link of the first start: `{public_url}/login/{token}`.
//!
//! Opening it shows a page with one button; only the button's POST consumes it, so a chat program that
//! previews links cannot burn it. The store keeps the token's SHA-256 and consumes it atomically.

use bailiwick_model::{Clock, Entropy, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;

use crate::key;

/// How long the link of the first start lives.
pub const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// A link that was just made: the only moment at which its token exists.
#[derive(Debug)]
pub struct AdminLink {
    /// 256 bits of chance in base64url.
    pub token: SecretString,
    /// SHA-256 of the token: what is kept.
    pub hash: [u8; 32],
    /// When it dies by itself.
    pub expires_at: Timestamp,
}

impl AdminLink {
    /// Makes a link.
    pub fn mint(clock: &dyn Clock, entropy: &dyn Entropy, lifetime: Duration) -> Self {
        let token = key::token(entropy);
        let hash = key::sha256(token.as_bytes());
        Self { token: token.into(), hash, expires_at: clock.now().saturating_add(lifetime) }
    }

    /// The link's URL. Contains the secret.
    pub fn url(&self, public_url: &str) -> SecretString {
        format!("{}/login/{}", public_url.trim_end_matches('/'), self.token.expose_secret()).into()
    }
}

/// The hash by which the store finds a token; `None` if the text cannot be a token.
pub fn hash(token: &str) -> Option<[u8; 32]> {
    let good =
        token.len() == 43 && token.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    good.then(|| key::sha256(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use bailiwick_model::FrozenClock;
    use bailiwick_model::entropy::Counting;

    use super::*;

    #[test]
    fn a_token_is_found_again_by_its_hash_and_dies_after_its_lifetime() {
        let clock = FrozenClock::at(Timestamp::from_micros(1_000_000));
        let link = AdminLink::mint(&clock, &Counting::default(), LIFETIME);
        assert_eq!(hash(link.token.expose_secret()), Some(link.hash));
        assert_eq!(link.expires_at.as_secs(), 1 + 86_400);
        let url = link.url("https://gw.example/");
        assert_eq!(url.expose_secret(), format!("https://gw.example/login/{}", link.token.expose_secret()));
        assert!(!format!("{link:?}").contains(link.token.expose_secret()));
    }

    #[test]
    fn other_texts_are_no_tokens() {
        for text in ["", "short", &"a".repeat(44), &"ä".repeat(21), &format!("{}/", "a".repeat(42))] {
            assert_eq!(hash(text), None, "{text}");
        }
    }
}
