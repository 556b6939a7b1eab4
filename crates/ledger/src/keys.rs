//! The ledger's keys: Ed25519 for checkpoints, HMAC-SHA-256 for digests of payloads.
//!
//! `runtime` keeps them in files and computes with them; here is what C2SP adds: a key has a name, which is
//! the checkpoints' origin, and its public half is written as `name+id+base64(algorithm || key)`.

use std::fmt;
use std::str::FromStr;

use bailiwick_runtime::{DigestKey, SigningKey, verify_signature};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// The algorithm byte of Ed25519 (C2SP signed-note, "Signature types").
const ED25519_ALGORITHM: u8 = 1;

/// What the ledger signs and digests with.
#[derive(Debug)]
pub struct Keys {
    /// The name of the ledger in its checkpoints, by convention an URL without scheme: `host/ledger`.
    pub origin: String,
    /// Signs checkpoints.
    pub signing: SigningKey,
    /// Makes digests of payloads.
    pub digest: DigestKey,
}

/// Not a key of the wanted form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// The name: it is the checkpoints' origin and must be one word without `+`.
    #[error("a checkpoint key's name is one word without '+'")]
    Name,
    /// The written public key.
    #[error("not a verifier key of the form name+id+key for Ed25519")]
    Verifier,
}

/// Signs checkpoints under a name, which is their origin.
#[derive(Debug)]
pub(crate) struct Signer {
    key: SigningKey,
    verifier: VerifierKey,
}

impl Signer {
    pub(crate) fn new(origin: &str, key: SigningKey) -> Result<Self, InvalidKey> {
        let verifier = VerifierKey::new(origin, key.public_key())?;
        Ok(Self { key, verifier })
    }

    pub(crate) fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    pub(crate) fn sign(&self, text: &[u8]) -> [u8; 64] {
        self.key.sign(text)
    }
}

/// The public key of a ledger, by which anyone checks a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    key: [u8; 32],
}

impl VerifierKey {
    fn new(name: &str, key: [u8; 32]) -> Result<Self, InvalidKey> {
        let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if name.is_empty() || name.contains(bad) {
            return Err(InvalidKey::Name);
        }
        let hash =
            Sha256::new().chain_update(name).chain_update([b'\n', ED25519_ALGORITHM]).chain_update(key);
        let mut id = [0; 4];
        id.copy_from_slice(&hash.finalize()[..4]);
        Ok(Self { name: name.to_owned(), id, key })
    }

    /// The key's name, the origin of the checkpoints that it signs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a signature line names the key by.
    pub fn id(&self) -> [u8; 4] {
        self.id
    }

    /// The key itself.
    pub fn public_key(&self) -> [u8; 32] {
        self.key
    }

    pub(crate) fn accepts(&self, text: &[u8], signature: &[u8]) -> bool {
        verify_signature(&self.key, text, signature)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [ED25519_ALGORITHM; 33];
        bytes[1..].copy_from_slice(&self.key);
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id), STANDARD.encode(bytes))
    }
}

impl FromStr for VerifierKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(InvalidKey::Verifier);
        };
        let bytes = STANDARD.decode(key).map_err(|_| InvalidKey::Verifier)?;
        let Some((&ED25519_ALGORITHM, key)) = bytes.split_first() else { return Err(InvalidKey::Verifier) };
        let verifier = Self::new(name, key.try_into().map_err(|_| InvalidKey::Verifier)?)?;
        if hex::encode(verifier.id) == id { Ok(verifier) } else { Err(InvalidKey::Verifier) }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use bailiwick_runtime::KeyDir;

    use super::*;

    /// A signer with a fresh key.
    pub(crate) fn signer(origin: &str) -> Signer {
        let dir = tempfile::tempdir().unwrap();
        let keys = KeyDir::open(dir.path().join("keys")).unwrap();
        Signer::new(origin, SigningKey::load_or_create(&keys, "ledger").unwrap()).unwrap()
    }

    #[test]
    fn a_verifier_key_reads_back_and_a_changed_one_is_refused() {
        let key = signer("node.test/ledger");
        let text = key.verifier().to_string();
        assert_eq!(text.parse::<VerifierKey>().as_ref(), Ok(key.verifier()));
        assert_eq!(text.replace("node", "mode").parse::<VerifierKey>(), Err(InvalidKey::Verifier));
    }

    #[test]
    fn a_verifier_key_of_the_go_note_package_is_understood() {
        // The example of golang.org/x/mod/sumdb/note.
        let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let key: VerifierKey = text.parse().unwrap();
        assert_eq!((key.name(), key.to_string().as_str()), ("PeterNeumann", text));
        let note = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
        let signature =
            "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
        let bytes = STANDARD.decode(signature).unwrap();
        assert_eq!(bytes[..4], key.id());
        assert!(key.accepts(note.as_bytes(), &bytes[4..]));
    }
}
