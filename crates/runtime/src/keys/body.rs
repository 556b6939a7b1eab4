//! Bodies in the ledger: AES-256-GCM under a key for each call, which is derived from its principal's key for the class.
//!
//! The key of a call is HMAC-SHA-256 of the call's id (its written form) under the body key, so that no AES key seals more than
//! a call's two payloads, however many calls there are: random nonces are good for 2^32 seals of one key (NIST SP 800-38D,
//! section 8.3), which a busy agent has in weeks. Layout: 12 bytes of nonce, ciphertext, 16 bytes of tag.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use bailiwick_model::capture::RetentionClass;
use bailiwick_model::{BodyKeyId, CallId, PrincipalId, QuickMap};
use zeroize::Zeroizing;

use super::cipher::Cipher;
use super::{SecretKey, Unsealed};

/// A key for bodies, ready for use.
pub struct BodySealer {
    id: BodyKeyId,
    key: hmac::Key,
}

impl fmt::Debug for BodySealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BodySealer({})", self.id)
    }
}

impl BodySealer {
    /// The key of these bytes.
    pub fn new(id: BodyKeyId, key: &SecretKey) -> Self {
        Self { id, key: hmac::Key::new(HMAC_SHA256, key.as_slice()) }
    }

    /// By which id records name it.
    pub fn id(&self) -> BodyKeyId {
        self.id
    }

    /// Seals a body; only [`BodySealer::open`] with the same call and `place` gives it back.
    pub fn seal(&self, call: CallId, place: &str, plain: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(plain.len() + Cipher::OVERHEAD);
        self.of(call).seal_onto(&mut out, place.as_bytes(), plain);
        out
    }

    /// A body; `None` if it was changed, or sealed with another key or for another place.
    pub fn open(&self, call: CallId, place: &str, sealed: &[u8]) -> Option<Unsealed> {
        self.of(call).open(place.as_bytes(), sealed)
    }

    fn of(&self, call: CallId) -> Cipher {
        let mut key: SecretKey = Zeroizing::new([0; 32]);
        key.copy_from_slice(hmac::sign(&self.key, call.to_string().as_bytes()).as_ref());
        Cipher::new(&key)
    }
}

/// The keys for bodies that are known now, by principal and class: made by `control`, read by the data path.
#[derive(Debug, Clone, Default)]
pub struct BodySealers(QuickMap<PrincipalId, Vec<(RetentionClass, Arc<BodySealer>)>>);

impl BodySealers {
    /// The key of a principal for a class.
    pub fn get(&self, principal: PrincipalId, class: &RetentionClass) -> Option<&Arc<BodySealer>> {
        let of = self.0.get(&principal)?;
        of.iter().find(|(known, _)| known == class).map(|(_, sealer)| sealer)
    }

    /// Adds a key, in place of the one that was there for this principal and class.
    pub fn put(&mut self, principal: PrincipalId, class: RetentionClass, sealer: Arc<BodySealer>) {
        let of = self.0.entry(principal).or_default();
        of.retain(|(known, _)| *known != class);
        of.push((class, sealer));
    }
}

#[cfg(test)]
mod tests {
    use bailiwick_model::body_key::BodyPart;

    use super::*;

    const CALL: CallId = CallId::from_bits(1);

    fn sealer(byte: u8) -> BodySealer {
        BodySealer::new(BodyKeyId::from_bits(byte.into()), &Zeroizing::new([byte; 32]))
    }

    #[test]
    fn a_body_opens_with_its_key_in_its_place_only() {
        let place = BodyPart::Arguments.place("l", CALL);
        let sealed = sealer(7).seal(CALL, &place, b"body");
        assert_eq!(sealer(7).open(CALL, &place, &sealed).unwrap().as_slice(), b"body");
        assert!(sealer(8).open(CALL, &place, &sealed).is_none(), "another key");
        assert!(sealer(7).open(CallId::from_bits(2), &place, &sealed).is_none(), "another call");
        assert!(sealer(7).open(CALL, &BodyPart::Result.place("l", CALL), &sealed).is_none(), "another place");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(sealer(7).open(CALL, &place, &changed).is_none(), "byte {at}");
        }
        assert_ne!(sealer(7).seal(CALL, &place, b"body"), sealed, "nonces differ");
        assert!(!format!("{:?}", sealer(7)).contains("7, 7"));
    }

    #[test]
    fn somebody_else_s_ciphertext_opens() {
        // Made with Python's `cryptography` as docs/ledger.md tells it: HMAC-SHA-256 for the call's key, AES-256-GCM with
        // nonce 000102030405060708090a0b.
        let sealed = super::super::from_base64url(VECTOR).unwrap();
        let place = BodyPart::Result.place("bailiwick-ledger/0123456789abcdef", CALL);
        let opened = sealer(7).open(CALL, &place, &sealed).unwrap();
        assert_eq!(opened.as_slice(), br#"{"text":"hello"}"#);
    }

    const VECTOR: &str = "AAECAwQFBgcICQoLZ0excGLFye-lkcrvKxsAmAUwgjFeZs21U013yAAZjhE";

    #[test]
    fn keys_are_found_by_principal_and_class() {
        let (mut known, one, long) =
            (BodySealers::default(), PrincipalId::from_bits(1), "long".parse::<RetentionClass>().unwrap());
        let standard = RetentionClass::default();
        known.put(one, standard.clone(), Arc::new(sealer(1)));
        known.put(one, long.clone(), Arc::new(sealer(2)));
        known.put(one, standard.clone(), Arc::new(sealer(3)));
        let id = |principal, class| known.get(principal, class).map(|found| found.id().to_bits());
        assert_eq!((id(one, &standard), id(one, &long)), (Some(3), Some(2)));
        assert_eq!(id(PrincipalId::from_bits(2), &standard), None);
    }
}
