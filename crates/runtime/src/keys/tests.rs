use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use crate::SystemEntropy;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn keys_are_made_once_in_files_for_the_owner_only() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("data/keys");
    let dir = KeyDir::open(&path).unwrap();
    let entropy = SystemEntropy::new();
    let first = dir.load_or_create("session", &entropy).unwrap();
    assert_eq!(*first, *dir.load_or_create("session", &entropy).unwrap());
    assert_ne!(*first, *dir.load_or_create("digest", &entropy).unwrap());
    assert_eq!((mode(&path), mode(&path.join("session"))), (0o700, 0o600));
    assert_eq!(fs::read_dir(&path).unwrap().count(), 2, "nothing else is left behind");
}

#[test]
fn a_key_takes_the_place_of_another() {
    let home = tempfile::tempdir().unwrap();
    let dir = KeyDir::open(home.path().join("keys")).unwrap();
    let first = SigningKey::load_or_create(&dir, "signing").unwrap().public_key();
    assert!(matches!(dir.replace("signing", "next"), Err(KeyError::Io { .. })));
    let next = SigningKey::load_or_create(&dir, "next").unwrap().public_key();
    assert!(dir.has("next").unwrap());
    dir.replace("signing", "next").unwrap();
    assert!(!dir.has("next").unwrap());
    let now = SigningKey::load_or_create(&dir, "signing").unwrap().public_key();
    assert!(now == next && now != first);
}

#[test]
fn files_that_others_can_read_are_refused_with_the_command_that_mends_it() {
    let home = tempfile::tempdir().unwrap();
    let dir = KeyDir::open(home.path().join("keys")).unwrap();
    let entropy = SystemEntropy::new();
    dir.load_or_create("session", &entropy).unwrap();
    let file = home.path().join("keys/session");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let error = dir.load_or_create("session", &entropy).unwrap_err().to_string();
    assert!(error.contains(&format!("`chmod 600 {}`", file.display())), "{error}");
    fs::set_permissions(home.path().join("keys"), fs::Permissions::from_mode(0o755)).unwrap();
    let error = KeyDir::open(home.path().join("keys")).unwrap_err().to_string();
    assert!(error.contains("`chmod 700 "), "{error}");
}

#[test]
fn a_damaged_key_file_is_an_error_and_is_not_replaced() {
    let home = tempfile::tempdir().unwrap();
    let dir = KeyDir::open(home.path().join("keys")).unwrap();
    let file = home.path().join("keys/session");
    for content in ["", "short", "!!!!", &base64url([1u8; 33])] {
        fs::write(&file, content).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let refused = dir.load_or_create("session", &SystemEntropy::new());
        assert!(matches!(refused, Err(KeyError::Malformed { .. })), "{content:?}");
        assert_eq!(fs::read_to_string(&file).unwrap(), content);
    }
    assert!(matches!(dir.load_or_create("../x", &SystemEntropy::new()), Err(KeyError::Name(_))));
}

fn key(byte: u8) -> SecretKey {
    zeroize::Zeroizing::new([byte; 32])
}

#[test]
fn only_the_right_place_and_the_unchanged_envelope_open() {
    let sealer = Sealer::new(1, &key(7));
    let sealed = sealer.seal(b"session:alice", b"content");
    assert_eq!(sealer.open(b"session:alice", &sealed).unwrap().as_slice(), b"content");
    assert!(sealer.open(b"session:bob", &sealed).is_none());
    assert!(Sealer::new(1, &key(8)).open(b"session:alice", &sealed).is_none());
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(sealer.open(b"session:alice", &changed).is_none(), "byte {at}");
        assert!(sealer.open(b"session:alice", &sealed[..at]).is_none(), "cut at {at}");
    }
    assert_ne!(sealer.seal(b"a", b"b"), sealer.seal(b"a", b"b"), "nonces differ");
    assert_eq!(sealer.open(b"", &sealer.seal(b"", b"")).unwrap().as_slice(), b"");
}

#[test]
fn after_a_rotation_old_envelopes_open_and_new_ones_use_the_new_key() {
    let old = Sealer::new(1, &key(7)).seal(b"a", b"old");
    let sealer = Sealer::new(2, &key(8)).with_older(1, &key(7));
    assert_eq!(sealer.open(b"a", &old).unwrap().as_slice(), b"old");
    assert!(Sealer::new(1, &key(7)).open(b"a", &sealer.seal(b"a", b"new")).is_none());
}

#[test]
fn signatures_verify_with_the_public_key_of_the_file() {
    let home = tempfile::tempdir().unwrap();
    let dir = KeyDir::open(home.path().join("keys")).unwrap();
    let signing = SigningKey::load_or_create(&dir, "ledger").unwrap();
    let again = SigningKey::load_or_create(&dir, "ledger").unwrap();
    assert_eq!(signing.public_key(), again.public_key());
    let signature = signing.sign(b"checkpoint");
    assert!(verify_signature(&again.public_key(), b"checkpoint", &signature));
    assert!(!verify_signature(&again.public_key(), b"checkpoin!", &signature));
}

#[test]
fn digests_are_keyed() {
    // RFC 4231 has no 32-byte key: the expected value is that of another implementation (Python's hmac).
    let digest = DigestKey::new(&key(0x0b)).digest(b"Hi There");
    assert_eq!(base64url(digest), "GYpgfrRL-8aZA6Dxzyu9xboKo_PZrjwcejsWlqC2jPc");
    assert!(DigestKey::new(&key(0x0b)).verify(b"Hi There", &digest));
    assert!(!DigestKey::new(&key(0x0c)).verify(b"Hi There", &digest));
}
