//! Keys for bodies, from their making to their end.

use bailiwick_model::{PrincipalId, RetentionClass};

use super::*;
use crate::Erasure;

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
    let call = bailiwick_model::CallId::from_bits(1);
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
