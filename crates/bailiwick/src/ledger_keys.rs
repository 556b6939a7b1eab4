//! The ledger's keys among the gateway's: loaded for `serve` and for `audit rotate-key`, which must agree on what a
//! rotation that was cut short left.

use std::path::Path;

use anyhow::Context as _;
use bailiwick_ledger::{Keys, VerifierKey, last_rotation, public_key};
use bailiwick_model::Entropy;
use bailiwick_runtime::{DigestKey, KeyDir, SigningKey};

/// Signs the checkpoints.
const SIGNING: &str = "ledger-signing";
/// Will sign them, if a rotation comes so far.
const NEXT: &str = "ledger-signing-next";

/// The keys of the ledger in `dir`.
pub(crate) fn load(keys: &KeyDir, dir: &Path, entropy: &dyn Entropy) -> anyhow::Result<Keys> {
    settle(keys, dir)?;
    let signing = SigningKey::load_or_create(keys, SIGNING)?;
    // A ledger keeps its name when its key is rotated.
    let known = public_key(dir).context("the ledger's public key cannot be read")?;
    let origin = known.map_or_else(|| origin(&signing), |key| key.name().to_owned());
    let digest = DigestKey::new(&keys.load_or_create("ledger-digest", entropy)?);
    Ok(Keys { origin, signing, digest })
}

/// The key to rotate to.
pub(crate) fn next(keys: &KeyDir) -> anyhow::Result<SigningKey> {
    Ok(SigningKey::load_or_create(keys, NEXT)?)
}

/// Puts the next key in the place of the one before it, if the ledger in `dir` was rotated to it.
pub(crate) fn settle(keys: &KeyDir, dir: &Path) -> anyhow::Result<()> {
    if !keys.has(NEXT)? || !dir.exists() {
        return Ok(());
    }
    let next = SigningKey::load_or_create(keys, NEXT)?;
    let rotated = last_rotation(dir).context("the ledger's checkpoints cannot be read")?;
    if rotated.is_some_and(|to: VerifierKey| to.public_key() == next.public_key()) {
        keys.replace(SIGNING, NEXT)?;
        tracing::info!("the ledger's checkpoints are signed with the key it was rotated to");
    }
    Ok(())
}

/// The name of a new ledger in its checkpoints, which has to stay the same as long as the ledger: so it comes from its
/// first key, and not from an address, which an operator may change.
fn origin(signing: &SigningKey) -> String {
    let public = signing.public_key();
    let (start, _) = public.split_at(8);
    let short = start.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("bailiwick-ledger/{short:016x}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bailiwick_ledger::{Ledger, VerifyOptions, verify};
    use bailiwick_runtime::{SystemClock, SystemEntropy};

    use super::*;

    #[test]
    fn a_rotation_that_was_cut_short_is_finished_or_forgotten_by_what_the_checkpoints_say() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("ledger");
        let keys = KeyDir::open(home.path().join("keys")).unwrap();
        let settings = bailiwick_config::Settings::default().ledger;
        let open = || {
            let own = load(&keys, &dir, &SystemEntropy::new()).unwrap();
            Ledger::open(&dir, settings.clone(), own, Arc::new(SystemClock::new())).unwrap()
        };
        let first = open().verifier().clone();

        // The next key was made, and nothing signed with it.
        let prepared = next(&keys).unwrap().public_key();
        assert_eq!(open().verifier(), &first);
        assert_eq!(next(&keys).unwrap().public_key(), prepared);

        // It has signed, and its file is not yet in its place.
        let second = open().rotate_key(next(&keys).unwrap()).unwrap();
        assert!(keys.has(NEXT).unwrap());
        let ledger = open();
        assert_eq!(ledger.verifier(), &second);
        assert_eq!((second.public_key(), second.name()), (prepared, first.name()));
        assert!(!keys.has(NEXT).unwrap());

        // A further one begins with a key of its own.
        assert_ne!(next(&keys).unwrap().public_key(), prepared);
        ledger.close().unwrap();
        let options = VerifyOptions { saved: None, keys: vec![first], ..VerifyOptions::default() };
        assert_eq!(verify(&dir, &options).unwrap().bad, None);
    }
}
