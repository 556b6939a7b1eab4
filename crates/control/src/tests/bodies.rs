//! Keys for bodies, from their making to their end.

use std::sync::Arc;

use bailiwick_model::body_key::BodyPart;
use bailiwick_model::record::{Payload, PayloadDigest, SealedBody};
use bailiwick_model::{CallId, PrincipalId, RetentionClass};
use bailiwick_runtime::base64url;
use serde_json::json;

use super::index::{caught_up, intent_with, running};
use super::*;
use crate::{BodyContent, Erasure};

fn class(name: &str) -> RetentionClass {
    name.parse().unwrap()
}

fn erasure(principal: &str, of: Option<&str>) -> Erasure {
    Erasure { principal: principal.into(), class: of.map(class), reason: "Art. 17".into() }
}

/// Which key the data path has for a principal and class.
fn known(room: &Room, of: (PrincipalId, &str)) -> Option<u128> {
    room.body_sealers.borrow().get(of.0, &class(of.1)).map(|sealer| sealer.id().to_bits())
}

fn id_of(actor: &Actor) -> PrincipalId {
    actor.who().unwrap().principal
}

#[tokio::test]
async fn a_key_is_made_once_for_all_nodes_and_a_destroyed_one_is_forgotten_by_all() {
    let room = Room::new().await;
    let (other, admin) = (room.second_node(), room.admin().await);
    let me = id_of(&admin);
    room.control.make_body_key(me, &class("standard")).await.unwrap();
    room.control.make_body_key(me, &class("long")).await.unwrap();
    let (first, long) = (known(&room, (me, "standard")), known(&room, (me, "long")));
    assert!(first.is_some() && long.is_some() && first != long);
    // Again, and by another node: it is the same.
    room.control.make_body_key(me, &class("standard")).await.unwrap();
    other.make_body_key(me, &class("standard")).await.unwrap();
    let elsewhere = |name| {
        let sealers = other.parts().body_sealers.borrow();
        sealers.get(me, &class(name)).map(|sealer| sealer.id().to_bits())
    };
    assert_eq!((known(&room, (me, "standard")), elsewhere("standard")), (first, first));

    let gone = room.control.erase_bodies(&admin, erasure("admin", Some("standard"))).await.unwrap();
    assert_eq!(gone.iter().map(|key| Some(key.id.to_bits())).collect::<Vec<_>>(), [first]);
    assert_eq!((known(&room, (me, "standard")), known(&room, (me, "long"))), (None, long));
    other.catch_up().await.unwrap();
    assert_eq!((elsewhere("standard"), elsewhere("long")), (None, long));
    // The next call gets a fresh one.
    other.make_body_key(me, &class("standard")).await.unwrap();
    assert!(elsewhere("standard").is_some() && elsewhere("standard") != first);
}

#[tokio::test]
async fn keys_are_there_again_after_a_start() {
    let room = Room::new().await;
    let me = id_of(&room.admin().await);
    room.control.make_body_key(me, &class("standard")).await.unwrap();
    let again = room.second_node();
    again.catch_up().await.unwrap();
    let place = "place";
    let call = CallId::from_bits(1);
    let standard = class("standard");
    let sealed = room.body_sealers.borrow().get(me, &standard).unwrap().seal(call, place, b"body");
    let sealers = again.parts().body_sealers.borrow();
    assert_eq!(sealers.get(me, &standard).unwrap().open(call, place, &sealed).unwrap().as_slice(), b"body");
}

#[tokio::test]
async fn an_erasure_is_an_administrator_s_is_recorded_with_before_and_after_and_needs_the_ledger() {
    let room = Room::new().await;
    let (admin, auditor) = (room.admin().await, room.user(Role::Auditor).await);
    room.control.make_body_key(id_of(&admin), &class("standard")).await.unwrap();
    let refused = room.control.erase_bodies(&auditor, erasure("admin", None)).await;
    assert!(matches!(refused, Err(ControlError::Forbidden { needs: Role::Admin })), "{refused:?}");
    for (wanted, what) in [
        (Erasure { reason: " ".into(), ..erasure("admin", None) }, "reason"),
        (erasure("nobody", None), "principal"),
    ] {
        let refused = room.control.erase_bodies(&admin, wanted).await.unwrap_err();
        assert!(refused.to_string().contains(what), "{refused}");
    }
    room.recorder.set_down(true);
    let refused = room.control.erase_bodies(&admin, erasure("admin", None)).await;
    assert!(matches!(refused, Err(ControlError::AuditUnavailable(_))), "{refused:?}");
    room.recorder.set_down(false);
    assert!(known(&room, (id_of(&admin), "standard")).is_some(), "nothing was destroyed");

    let gone = room.control.erase_bodies(&admin, erasure("admin", None)).await.unwrap();
    let record = room.records().pop().unwrap();
    assert_eq!(record["operation"], "bodies.erase");
    assert_eq!(record["object"], id_of(&admin).to_string());
    assert_eq!(record["before"]["keys"][0]["id"], gone[0].id.to_string());
    assert!(record["before"]["keys"][0].get("destroyed").is_none());
    assert_eq!(record["after"]["destroyed"], 1);
    assert_eq!(record["after"]["keys"][0]["destroyed"]["reason"], "Art. 17");
    assert_eq!(record["after"]["keys"][0]["destroyed"]["by"], id_of(&admin).to_string());
    // Again there is nothing to destroy, and that is on record too.
    assert_eq!(room.control.erase_bodies(&admin, erasure("admin", None)).await.unwrap(), []);
    assert_eq!(room.records().pop().unwrap()["after"]["destroyed"], 0);
}

/// Records a call whose arguments were sealed for that call, or for another one.
async fn sealed_call(room: &Room, call: u128, sealed_for: u128) {
    let me = id_of(&room.admin().await);
    room.control.make_body_key(me, &class("standard")).await.unwrap();
    let sealer = Arc::clone(room.body_sealers.borrow().get(me, &class("standard")).unwrap());
    let whose = CallId::from_bits(sealed_for);
    let place = BodyPart::Arguments.place("test/ledger", whose);
    let data = base64url(sealer.seal(whose, &place, b"{\"a\":\"inner thoughts\"}"));
    let sealed = Some(SealedBody { key: sealer.id(), data: &data });
    let payload = Payload { sealed, ..Payload::bare(22, PayloadDigest([7; 32])) };
    intent_with(room, call, payload).await;
    caught_up(room).await;
}

fn named(call: u128) -> String {
    CallId::from_bits(call).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_is_shown_to_auditors_after_the_reading_is_on_record_and_never_without() {
    let room = running().await;
    sealed_call(&room, 1, 1).await;
    let (member, auditor) = (room.user(Role::Member).await, room.user(Role::Auditor).await);
    let read = async |actor, why: &str| room.control.read_bodies(actor, &named(1), why.into()).await;
    let before = room.records().len();
    let refused = read(&member, "curious").await;
    assert!(matches!(refused, Err(ControlError::Forbidden { needs: Role::Auditor })), "{refused:?}");
    let refused = read(&auditor, "").await;
    assert!(matches!(refused, Err(ControlError::Invalid { field: "reason", .. })), "{refused:?}");
    let refused = room.control.read_bodies(&auditor, &named(9), "why".into()).await;
    assert!(matches!(refused, Err(ControlError::NotFound { .. })), "{refused:?}");
    room.recorder.set_down(true);
    let refused = read(&auditor, "case 7").await;
    assert!(matches!(refused, Err(ControlError::AuditUnavailable(_))), "{refused:?}");
    room.recorder.set_down(false);
    assert_eq!(room.records().len(), before);

    let bodies = read(&auditor, "case 7").await.unwrap();
    let BodyContent::Full { text, .. } = &bodies[0].content else { panic!("{bodies:?}") };
    assert_eq!(text, "{\"a\":\"inner thoughts\"}");
    let record = room.records().pop().unwrap();
    assert_eq!((&record["operation"], &record["object"]), (&json!("bodies.read"), &json!(named(1))));
    assert_eq!(record["who"]["subject"], "auditor");
    assert_eq!(record["after"], json!({"records": [bodies[0].record], "reason": "case 7"}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ciphertext_that_was_moved_to_another_call_does_not_open() {
    let room = running().await;
    sealed_call(&room, 2, 1).await;
    let refused = room.control.read_bodies(&room.admin().await, &named(2), "case 7".into()).await;
    assert!(matches!(refused, Err(ControlError::Conflict(_))), "{refused:?}");
}
