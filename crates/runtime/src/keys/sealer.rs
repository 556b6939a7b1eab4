//! AES-256-GCM envelopes: what leaves the process and must come back unread and unchanged (sessions,
//! cursors, `requestState`), and secrets at rest. The associated data ties an envelope to its place: a row's
//! identity, a principal, a purpose.
//!
//! Layout: one byte of key id, 12 bytes of nonce, ciphertext, 16 bytes of tag.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

use super::SecretKey;

const TAG_LEN: usize = 16;

/// Seals with its first key and opens with any of its keys. Nonces are random and made by aws-lc itself,
/// so that no caller can repeat one; a key is good for 2^32 seals.
pub struct Sealer {
    keys: Vec<(u8, RandomizedNonceKey)>,
}

/// An envelope's content, wiped when dropped.
pub type Unsealed = Zeroizing<Vec<u8>>;

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|(id, _)| id)).finish()
    }
}

impl Sealer {
    /// A sealer of one key.
    pub fn new(id: u8, key: &SecretKey) -> Self {
        Self { keys: vec![(id, randomized(key))] }
    }

    /// Adds a key that opens what was sealed before a rotation.
    #[must_use]
    pub fn with_older(mut self, id: u8, key: &SecretKey) -> Self {
        self.keys.push((id, randomized(key)));
        self
    }

    /// Seals `plain`; only [`Sealer::open`] with the same `aad` gives it back.
    pub fn seal(&self, aad: &[u8], plain: &[u8]) -> Vec<u8> {
        let (id, key) = self.keys.first().expect("a sealer is made with a key");
        let mut out = Vec::with_capacity(1 + NONCE_LEN + plain.len() + TAG_LEN);
        out.push(*id);
        out.resize(1 + NONCE_LEN, 0);
        out.extend_from_slice(plain);
        let (head, content) = out.split_at_mut(1 + NONCE_LEN);
        let mut tag = [0u8; TAG_LEN];
        let nonce = key
            .seal_in_place_separate_tag(Aad::from(aad), content)
            .map(|(nonce, made)| {
                tag.copy_from_slice(made.as_ref());
                nonce
            })
            .expect("AES-256-GCM seals anything below 64 GiB");
        head[1..].copy_from_slice(nonce.as_ref());
        out.extend_from_slice(&tag);
        out
    }

    /// The content of an envelope; `None` if it is not one of ours, was changed, or was sealed for another
    /// place. There is no telling which: whoever presents it must not learn.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Option<Unsealed> {
        let (id, rest) = sealed.split_first()?;
        let (nonce, content) = rest.split_at_checked(NONCE_LEN)?;
        let (_, key) = self.keys.iter().find(|(known, _)| known == id)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut buffer = Zeroizing::new(content.to_vec());
        let length = key.open_in_place(nonce, Aad::from(aad), &mut buffer).ok()?.len();
        buffer.truncate(length);
        Some(buffer)
    }
}

fn randomized(key: &SecretKey) -> RandomizedNonceKey {
    RandomizedNonceKey::new(&AES_256_GCM, key.as_slice()).expect("32 bytes are an AES-256 key")
}
