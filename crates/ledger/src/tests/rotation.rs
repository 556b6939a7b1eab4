use std::fs;
use std::sync::Arc;

use bailiwick_model::{Clock, Recorder as _};
use bailiwick_runtime::{KeyDir, SigningKey};

use super::fixture::{Place, calls, intent};
use crate::{
    Fault, Keys, Ledger, OpenError, RotateError, VerifierKey, VerifyOptions, last_rotation,
    prove_consistency, prove_inclusion, verify,
};

fn signing(place: &Place, name: &str) -> SigningKey {
    SigningKey::load_or_create(&KeyDir::open(place.root.path().join("keys")).unwrap(), name).unwrap()
}

/// Opens the ledger with another key than the first.
fn open_with(place: &Place, name: &str) -> Result<Arc<Ledger>, OpenError> {
    let keys = Keys { signing: signing(place, name), ..place.keys() };
    let clock = Arc::clone(&place.clock) as Arc<dyn Clock>;
    Ledger::open(&place.dir(), place.settings.clone(), keys, clock)
}

/// A ledger whose key was rotated twice, after 6 records and after 13.
async fn rotated() -> (Place, [VerifierKey; 3]) {
    let place = Place::new();
    let ledger = place.open();
    calls(&ledger, 0..3).await;
    let first = ledger.verifier().clone();
    let second = ledger.rotate_key(signing(&place, "second")).unwrap();
    let ledger = open_with(&place, "second").unwrap();
    assert_eq!(ledger.verifier(), &second);
    calls(&ledger, 3..6).await;
    let third = ledger.rotate_key(signing(&place, "third")).unwrap();
    let ledger = open_with(&place, "third").unwrap();
    calls(&ledger, 6..9).await;
    ledger.close().unwrap();
    (place, [first, second, third])
}

fn with_key(key: &VerifierKey) -> VerifyOptions {
    VerifyOptions { saved: None, keys: vec![key.clone()], ..VerifyOptions::default() }
}

#[tokio::test]
async fn any_of_its_keys_checks_the_whole_ledger() {
    let (place, keys) = rotated().await;
    for key in &keys {
        let report = verify(&place.dir(), &with_key(key)).unwrap();
        assert_eq!((report.records, report.signed, report.rotations, report.bad), (20, 20, 2, None));
    }
    assert_eq!(place.verify().bad, None);
    for segment in crate::segment::list(&place.dir()).unwrap() {
        assert_eq!(verify(&segment.path, &with_key(&keys[0])).unwrap().bad, None);
    }
    assert!(place.lines()[6].contains(r#""operation":"ledger.key.rotate""#));
    let stranger = Place::new().open().verifier().clone();
    let found = verify(&place.dir(), &with_key(&stranger)).unwrap().bad.unwrap();
    assert!(matches!(found.fault, Fault::Signature { .. }));
}

#[tokio::test]
async fn any_of_its_keys_checks_a_proof() {
    let (place, keys) = rotated().await;
    let inclusion = prove_inclusion(&place.dir(), 1, None).unwrap();
    let consistency = prove_consistency(&place.dir(), 7, 20).unwrap();
    for key in &keys {
        inclusion.check(std::slice::from_ref(key)).unwrap();
        consistency.check(std::slice::from_ref(key)).unwrap();
    }
    let stranger = Place::new().open().verifier().clone();
    inclusion.check(&[stranger]).unwrap_err();
}

#[tokio::test]
async fn an_old_key_signs_nothing_behind_its_rotation() {
    let (place, keys) = rotated().await;
    assert!(matches!(
        place.try_open().unwrap_err(),
        OpenError::Altered { fault: Fault::Signature { .. }, .. }
    ));
    // A checkpoint of the end, as somebody would write it who has the first key.
    let old = crate::keys::Signer::new(keys[0].name(), place.keys().signing).unwrap();
    let path = place.dir().join("checkpoint");
    let newest = crate::SignedCheckpoint::parse(&fs::read_to_string(&path).unwrap()).unwrap();
    fs::write(&path, newest.checkpoint().clone().sign([&old]).to_string()).unwrap();
    for key in &keys {
        let found = verify(&place.dir(), &with_key(key)).unwrap().bad.unwrap();
        assert_eq!(found.fault, Fault::Signature { size: 20 });
    }
}

#[tokio::test]
async fn an_old_key_does_not_go_on_and_the_same_key_is_no_rotation() {
    let place = Place::new();
    let ledger = place.open();
    calls(&ledger, 0..1).await;
    let refused = ledger.rotate_key(place.keys().signing).unwrap_err();
    assert!(matches!(refused, RotateError::Same), "{refused}");
    assert_eq!(last_rotation(&place.dir()).unwrap(), None);
    let second = ledger.rotate_key(signing(&place, "second")).unwrap();
    ledger.append(&intent(5)).settled().await.unwrap_err();
    let refused = place.try_open().unwrap_err();
    assert!(matches!(&refused, OpenError::Rotated { to, .. } if **to == second), "{refused}");
    assert_eq!(last_rotation(&place.dir()).unwrap(), Some(second));
}

#[tokio::test]
async fn lost_seals_and_a_rotation_cut_short_only_cost_time() {
    let (place, [.., third]) = rotated().await;
    for segment in crate::segment::list(&place.dir()).unwrap() {
        if segment.seal().exists() {
            fs::remove_file(segment.seal()).unwrap();
        }
    }
    let ledger = open_with(&place, "third").unwrap();
    assert_eq!(ledger.status().unwrap().next_index, 20);
    // As if the process had ended when the fourth key had signed, and nothing else was written.
    ledger.rotate_key(signing(&place, "fourth")).unwrap();
    fs::write(place.dir().join("checkpoint.pub"), format!("{third}\n")).unwrap();
    let segments = crate::segment::list(&place.dir()).unwrap();
    fs::remove_file(segments[2].seal()).unwrap();
    fs::remove_file(&segments[3].path).unwrap();
    fs::remove_file(segments[3].notes()).unwrap();
    let fourth = last_rotation(&place.dir()).unwrap().unwrap();
    let ledger = open_with(&place, "fourth").unwrap();
    assert_eq!(ledger.verifier(), &fourth);
    calls(&ledger, 20..22).await;
    ledger.close().unwrap();
    let report = place.verify();
    assert_eq!((report.records, report.rotations, report.bad), (25, 3, None));
}
