//! AES-256-GCM with random nonces, which aws-lc makes itself, so that no caller can repeat one: what the envelopes here have
//! in common. Layout: 12 bytes of nonce, ciphertext, 16 bytes of tag.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

use super::{SecretKey, Unsealed};

const TAG_LEN: usize = 16;

/// A key, good for 2^32 seals.
pub(super) struct Cipher(RandomizedNonceKey);

impl Cipher {
    /// By how many bytes what is sealed is longer.
    pub(super) const OVERHEAD: usize = NONCE_LEN + TAG_LEN;

    pub(super) fn new(key: &SecretKey) -> Self {
        Self(RandomizedNonceKey::new(&AES_256_GCM, key.as_slice()).expect("32 bytes are an AES-256 key"))
    }

    /// Appends the sealed `plain`.
    pub(super) fn seal_onto(&self, out: &mut Vec<u8>, aad: &[u8], plain: &[u8]) {
        let head = out.len();
        let content = head + NONCE_LEN;
        out.resize(content, 0);
        out.extend_from_slice(plain);
        let mut tag = [0u8; TAG_LEN];
        let nonce = self
            .0
            .seal_in_place_separate_tag(Aad::from(aad), &mut out[content..])
            .map(|(nonce, made)| {
                tag.copy_from_slice(made.as_ref());
                nonce
            })
            .expect("AES-256-GCM seals anything below 64 GiB");
        out[head..content].copy_from_slice(nonce.as_ref());
        out.extend_from_slice(&tag);
    }

    /// What was sealed.
    pub(super) fn open(&self, aad: &[u8], sealed: &[u8]) -> Option<Unsealed> {
        let (nonce, content) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut buffer = Zeroizing::new(content.to_vec());
        let length = self.0.open_in_place(nonce, Aad::from(aad), &mut buffer).ok()?.len();
        buffer.truncate(length);
        Some(buffer)
    }
}
