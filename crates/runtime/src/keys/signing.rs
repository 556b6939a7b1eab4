//! Ed25519 signatures for checkpoints of the ledger.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use zeroize::Zeroizing;

use super::{KeyDir, KeyError};

/// An Ed25519 key pair that lives in a key file (PKCS#8).
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: [u8; 32],
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", super::base64url(self.public))
    }
}

impl SigningKey {
    /// The key pair `name`, made at the first call.
    ///
    /// # Errors
    /// The file cannot be read or made, is open to others, or holds something else.
    pub fn load_or_create(dir: &KeyDir, name: &str) -> Result<Self, KeyError> {
        let file = dir.file(name)?;
        let bytes = dir.read_or_write(&file, || {
            let pair = Ed25519KeyPair::generate().and_then(|pair| pair.to_pkcs8());
            let document = pair.expect("the system's generator works, else no key can be made at all");
            Zeroizing::new(document.as_ref().to_vec())
        })?;
        let malformed = || KeyError::Malformed { path: file.clone(), wanted: "an Ed25519 key (PKCS#8)" };
        let pair = Ed25519KeyPair::from_pkcs8(&bytes).map_err(|_| malformed())?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| malformed())?;
        Ok(Self { pair, public })
    }

    /// The public key.
    pub fn public_key(&self) -> [u8; 32] {
        self.public
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut out = [0u8; 64];
        out.copy_from_slice(self.pair.sign(message).as_ref());
        out
    }
}

/// Whether `signature` is that of `message` by the owner of this Ed25519 public key.
pub fn verify_signature(public_key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public_key).verify(message, signature).is_ok()
}
