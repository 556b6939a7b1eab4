//! What a check of evidence says of packs that no gateway makes.

use std::fs;

use bailiwick_model::record::AdminChange;
use bailiwick_model::{CallId, Generation, Record, Recorder as _};
use serde_json::{Value, json};

use super::fixture::{Place, intent, outcome};
use crate::{
    About, Evidence, EvidenceFault, Finding, GrantText, HashOf, PolicyText, Standing, VerifierKey,
    prove_inclusion,
};

const CALL: u128 = 1;

/// Two calls, a grant and something else: records 0 to 5.
async fn ledger() -> (Place, VerifierKey) {
    let place = Place::new();
    let ledger = place.open();
    let after = json!({"id": "grt_x", "actions": ["call"]});
    let change = |operation| {
        Record::AdminChange(AdminChange {
            who: None,
            operation,
            object: "grt_x",
            before: None,
            after: Some(&after),
        })
    };
    for record in [
        change("grant.add"),
        change("grant.revoke"),
        intent(CALL),
        outcome(CALL),
        intent(CALL + 1),
        outcome(CALL + 1),
    ] {
        ledger.append(&record).settled().await.unwrap();
    }
    let key = ledger.verifier().clone();
    ledger.close().unwrap();
    (place, key)
}

fn pack(place: &Place, indices: &[u64]) -> Evidence {
    let prove = |index: &u64| prove_inclusion(&place.dir(), *index, None).unwrap();
    Evidence {
        evidence: About::Call,
        v: 1,
        call: CallId::from_bits(CALL),
        records: indices.iter().map(prove).collect(),
        policy: Some(PolicyText {
            generation: Generation(4),
            rules: Vec::new(),
            hash: Some(format!("sha256:{}", "05".repeat(32))),
            hashed: HashOf::Text,
            text: None,
        }),
        definition: None,
        grants: Vec::new(),
    }
}

/// What is wrong with a pack, or is not in it.
fn said(pack: &Evidence, key: &VerifierKey, standing: Standing) -> Vec<String> {
    let report = pack.check(std::slice::from_ref(key));
    let bad = |finding: &Finding| matches!(finding.standing, Standing::Wrong | Standing::Missing);
    assert_eq!(report.holds, !report.findings.iter().any(bad));
    let found = report.findings.into_iter().filter(|finding| finding.standing == standing);
    found.map(|finding| format!("{}: {}", finding.part, finding.why)).collect()
}

#[tokio::test]
async fn a_pack_holds_its_own_call_s_records_and_no_others() {
    let (place, key) = ledger().await;
    let wrong = |indices: &[u64]| said(&pack(&place, indices), &key, Standing::Wrong);
    assert!(wrong(&[2, 3]).is_empty() && wrong(&[3, 2]).is_empty());
    assert_eq!(wrong(&[2, 3, 5]), ["record 5 (outcome): it is a record of another call"]);
    assert_eq!(wrong(&[2, 2]), ["record 2 (intent): there is one of its kind already"]);
    assert_eq!(wrong(&[3]), ["call: no proven record says who asked for what"]);
    assert_eq!(wrong(&[2, 1]), ["record 1 (admin_change): it is not about the call"]);
    assert_eq!(wrong(&[2, 0]), ["record 0 (admin_change): it is not about the call"]);
    let absent = said(&pack(&place, &[2, 3]), &key, Standing::Absent);
    assert!(absent.len() == 1 && absent[0].starts_with("policy text: "), "{absent:?}");
}

#[tokio::test]
async fn a_pack_without_the_call_s_end_is_not_complete() {
    let (place, key) = ledger().await;
    let open = pack(&place, &[2]);
    let missing = said(&open, &key, Standing::Missing);
    assert!(missing.len() == 1 && missing[0].starts_with("outcome: outcome missing"), "{missing:?}");
    let report = open.check(std::slice::from_ref(&key));
    assert!(!report.holds && report.is_only_open());
    // What is wrong besides is not excused by it, and a complete pack is not open.
    let wrong = pack(&place, &[2, 5]).check(std::slice::from_ref(&key));
    assert!(!wrong.holds && !wrong.is_only_open());
    let whole = pack(&place, &[2, 3]).check(std::slice::from_ref(&key));
    assert!(whole.holds && !whole.is_only_open());
}

#[tokio::test]
async fn a_pack_says_of_policies_definition_and_grants_what_the_record_says() {
    let (place, key) = ledger().await;
    let wrong = |change: &dyn Fn(&mut Evidence)| {
        let mut pack = pack(&place, &[2, 3]);
        change(&mut pack);
        said(&pack, &key, Standing::Wrong)
    };
    let named = |parts: &[String], begin: &str| parts.len() == 1 && parts[0].starts_with(begin);
    assert!(named(&wrong(&|pack| pack.policy = None), "policy text: it is left out"));
    assert!(named(&wrong(&|pack| pack.policy.as_mut().unwrap().generation.0 += 1), "policy: record 2 names"));
    assert!(named(&wrong(&|pack| pack.policy.as_mut().unwrap().rules.push("x".into())), "policy: record 2"));
    assert!(named(&wrong(&|pack| pack.policy.as_mut().unwrap().hash = None), "policy text: record 2 names"));
    let other_text = |pack: &mut Evidence| pack.policy.as_mut().unwrap().text = Some("permit".into());
    assert!(named(&wrong(&other_text), "policy text: its hash is not sha256:05"));
    let foreign = |pack: &mut Evidence| pack.grants.push(GrantText { id: "grt_x".into(), grant: None });
    assert!(named(&wrong(&foreign), "grant grt_x: record 2 does not name it"));
}

#[tokio::test]
async fn records_of_two_ledgers_or_checkpoints_are_no_one_s_evidence() {
    let (place, key) = ledger().await;
    let mut mixed = pack(&place, &[2, 3]);
    let old = fs::read_to_string(place.dir().join("checkpoint")).unwrap();
    let ledger = place.open();
    ledger.append(&intent(7)).settled().await.unwrap();
    ledger.close().unwrap();
    assert_ne!(old, fs::read_to_string(place.dir().join("checkpoint")).unwrap());
    mixed.records[1] = prove_inclusion(&place.dir(), 3, None).unwrap();
    let wrong = said(&mixed, &key, Standing::Wrong);
    assert_eq!(wrong, ["record 3 (outcome): it is proven against another checkpoint"]);
    let (_other_place, other_key) = self::ledger().await;
    let wrong = said(&mixed, &other_key, Standing::Wrong);
    assert!(wrong[0].contains("is not signed with the ledger's key") && wrong.len() == 3, "{wrong:?}");
}

#[tokio::test]
async fn files_of_another_form_or_version_are_no_packs() {
    let (place, _) = ledger().await;
    let mut json = serde_json::to_value(pack(&place, &[2, 3])).unwrap();
    assert!(Evidence::parse(&json.to_string()).is_ok());
    json["v"] = 2.into();
    assert!(matches!(Evidence::parse(&json.to_string()), Err(EvidenceFault::Version(2))));
    json["v"] = 1.into();
    json["policy"]["hashed"] = Value::from("MD5");
    assert!(matches!(Evidence::parse(&json.to_string()), Err(EvidenceFault::Form(_))));
}
