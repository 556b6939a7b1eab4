use std::fs;

use super::fixture::{Place, calls, eventually};
use crate::{
    Claim, Proof, ProofFault, ProveError, SignedCheckpoint, VerifierKey, leaf_hash, prove_consistency,
    prove_inclusion,
};

/// A ledger of 60 records in some segments with checkpoints at many sizes.
async fn ledger() -> (Place, VerifierKey) {
    let mut place = Place::new();
    place.settings.segment_bytes = 4096;
    let ledger = place.open();
    for batch in 0..6 {
        calls(&ledger, batch * 5..batch * 5 + 5).await;
        eventually("another segment", || ledger.status().unwrap().segments as u128 > batch / 2);
        let size = u64::try_from(batch + 1).unwrap() * 10;
        eventually("a checkpoint", || {
            place.clock.advance(std::time::Duration::from_secs(1));
            ledger.status().unwrap().checkpoint_size == size
        });
    }
    let key = ledger.verifier().clone();
    assert!(ledger.status().unwrap().segments >= 3);
    ledger.close().unwrap();
    (place, key)
}

fn sizes(place: &Place) -> Vec<u64> {
    let segments = crate::segment::list(&place.dir()).unwrap();
    let notes = segments.iter().flat_map(|segment| crate::notes::read(segment).unwrap().unwrap().notes);
    notes.map(|note| note.checkpoint().size).collect()
}

#[tokio::test]
async fn every_record_is_proven_against_the_newest_checkpoint_and_every_other_that_tells_of_it() {
    let (place, key) = ledger().await;
    let lines: Vec<_> = crate::tail(&place.dir(), 100, None).unwrap();
    let segments = crate::segment::list(&place.dir()).unwrap();
    let notes: Vec<SignedCheckpoint> =
        segments.iter().flat_map(|segment| crate::notes::read(segment).unwrap().unwrap().notes).collect();
    for line in &lines {
        for note in notes.iter().filter(|note| note.checkpoint().size > line.index) {
            let proof = prove_inclusion(&place.dir(), line.index, Some(note.clone())).unwrap();
            let text = serde_json::to_string(&proof).unwrap();
            let proven = Proof::parse(&text).unwrap().check(std::slice::from_ref(&key)).unwrap();
            assert_eq!((proven.size, proven.root), (note.checkpoint().size, note.checkpoint().root));
            assert_eq!(proven.claim, Claim::Holds { index: line.index, record: line.json.clone() });
        }
        let proven = prove_inclusion(&place.dir(), line.index, None).unwrap().check(&[]).unwrap();
        assert_eq!((proven.size, proven.key_given), (60, false));
    }
    let refused = prove_inclusion(&place.dir(), 60, None).unwrap_err();
    assert!(matches!(refused, ProveError::NotSigned { index: 60, size: 60 }), "{refused}");
}

#[tokio::test]
async fn every_size_is_proven_to_be_the_beginning_of_every_later_checkpoint() {
    let (place, key) = ledger().await;
    let signed = sizes(&place);
    for new in &signed {
        for old in 1..=*new {
            let proof = prove_consistency(&place.dir(), old, *new).unwrap();
            let text = serde_json::to_string(&proof).unwrap();
            let proven = Proof::parse(&text).unwrap().check(std::slice::from_ref(&key)).unwrap();
            let Claim::Continues { old_size, old_signed, .. } = proven.claim else { panic!("{proven:?}") };
            assert_eq!((old_size, old_signed), (old, signed.contains(&old)));
        }
    }
    let refused = |old, new| prove_consistency(&place.dir(), old, new).unwrap_err();
    assert!(matches!(refused(1, 59), ProveError::NoCheckpoint(59)));
    assert!(matches!(refused(0, 60), ProveError::Order { .. }));
    assert!(matches!(refused(60, 10), ProveError::Order { .. }));
}

#[tokio::test]
async fn a_proof_that_was_touched_anywhere_proves_nothing() {
    let (place, key) = ledger().await;
    let keys = [key];
    for proof in
        [prove_inclusion(&place.dir(), 17, None).unwrap(), prove_consistency(&place.dir(), 30, 60).unwrap()]
    {
        proof.check(&keys).unwrap();
        let text = serde_json::to_string(&proof).unwrap();
        let mut refused = 0;
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            // The key in the file is not asked when one is given; nor is the case of hexadecimal digits.
            match Proof::parse(&changed) {
                Ok(changed) if unkeyed(&changed) == unkeyed(&proof) => {}
                Ok(changed) => {
                    assert!(changed.check(&keys).is_err(), "changed at {at}: {changed:?}");
                    refused += 1;
                }
                Err(_) => refused += 1,
            }
        }
        assert!(refused > 500, "{refused}");
    }
}

fn unkeyed(proof: &Proof) -> Proof {
    let mut proof = proof.clone();
    match &mut proof {
        Proof::Inclusion(proof) => proof.key.clear(),
        Proof::Consistency(proof) => proof.key.clear(),
    }
    proof
}

#[tokio::test]
async fn a_proof_of_another_ledger_shows_against_the_true_key() {
    let (place, key) = ledger().await;
    let (other, _) = ledger().await;
    let forged = prove_inclusion(&other.dir(), 3, None).unwrap();
    assert!(!forged.check(&[]).unwrap().key_given);
    assert!(matches!(forged.check(&[key]).unwrap_err(), ProofFault::Signature(60)));
    let borrowed = SignedCheckpoint::parse(&fs::read_to_string(other.dir().join("checkpoint")).unwrap());
    let refused = prove_inclusion(&place.dir(), 3, borrowed.ok()).unwrap_err();
    assert!(matches!(refused, ProveError::Altered(60)), "{refused}");
}

#[tokio::test]
async fn lost_and_forged_seals_only_cost_time_and_changed_records_are_not_proven() {
    let (place, key) = ledger().await;
    let segments = crate::segment::list(&place.dir()).unwrap();
    let first = &segments[0];
    let seal = fs::read_to_string(first.seal()).unwrap();
    let peak = leaf_hash(b"forged").to_string();
    let mut forged: crate::seal::Seal = serde_json::from_str(&seal).unwrap();
    // A seal that fits itself, but not the records.
    let mut tree = crate::CompactRange::default();
    (0..forged.next).for_each(|_| tree.push(leaf_hash(peak.as_bytes())));
    forged = forged.with_tree(tree);
    fs::write(first.seal(), serde_json::to_vec(&forged).unwrap()).unwrap();
    let prove = || prove_inclusion(&place.dir(), 58, None);
    for later in segments[1..].iter().filter(|segment| segment.seal().exists()) {
        fs::remove_file(later.seal()).unwrap();
    }
    prove().unwrap().check(std::slice::from_ref(&key)).unwrap();
    fs::remove_file(first.seal()).unwrap();
    prove().unwrap().check(&[key]).unwrap();
    let text = fs::read_to_string(&segments[1].path).unwrap();
    fs::write(&segments[1].path, text.replacen("agent", "admin", 1)).unwrap();
    assert!(matches!(prove().unwrap_err(), ProveError::Altered(60)));
    fs::remove_file(&segments[1].path).unwrap();
    assert!(matches!(prove().unwrap_err(), ProveError::Missing(index) if index == segments[1].first));
}
