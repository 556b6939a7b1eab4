//! One-time links.

use bailiwick_model::principal::Role;
use secrecy::ExposeSecret as _;

use super::operations;
use crate::ControlError;
use crate::testing::Room;

#[tokio::test]
async fn a_link_lets_in_once_and_looking_at_it_uses_nothing_up() {
    let room = Room::new().await;
    let token = room.login_token();
    for _ in 0..3 {
        assert!(room.control.link_is_good(&token).await.unwrap());
    }
    let opened = room.control.open_link(&token).await.unwrap();
    assert_eq!(opened.user, "admin");
    assert!(!room.control.link_is_good(&token).await.unwrap());
    let again = room.control.open_link(&token).await;
    assert!(matches!(again, Err(ControlError::NotFound { .. })));
    assert_eq!(operations(&room), ["bootstrap", "link.open"]);
}

#[tokio::test]
async fn of_many_at_once_one_is_let_in() {
    let room = Room::new().await;
    let token = room.login_token();
    let tries: Vec<_> = (0..8)
        .map(|_| {
            let (control, token) = (room.control.clone(), token.clone());
            async move { control.open_link(&token).await.is_ok() }
        })
        .collect();
    let mut set = tokio::task::JoinSet::new();
    for one in tries {
        set.spawn(one);
    }
    let let_in = set.join_all().await.into_iter().filter(|ok| *ok).count();
    assert_eq!(let_in, 1);
}

#[tokio::test]
async fn a_link_is_not_used_up_while_the_ledger_is_down() {
    let room = Room::new().await;
    let token = room.login_token();
    room.recorder.set_down(true);
    assert!(matches!(room.control.open_link(&token).await, Err(ControlError::AuditUnavailable(_))));
    room.recorder.set_down(false);
    assert!(room.control.open_link(&token).await.is_ok());
}

#[tokio::test]
async fn links_are_for_users_with_a_role_and_their_tokens_nowhere_kept() {
    let room = Room::new().await;
    let admin = room.admin().await;
    room.user(Role::Member).await;
    assert!(matches!(room.control.make_link(&admin, "member").await, Err(ControlError::Invalid { .. })));
    room.user(Role::Auditor).await;
    let link = room.control.make_link(&admin, "auditor").await.unwrap();
    let token = link.url.expose_secret().rsplit('/').next().unwrap().to_owned();
    assert!(!room.bytes().windows(token.len()).any(|window| window == token.as_bytes()));
    assert_eq!(room.control.open_link(&token).await.unwrap().user, "auditor");
}

#[tokio::test]
async fn inventions_let_nobody_in() {
    let room = Room::new().await;
    for token in ["", "x", &"A".repeat(43), "../../etc"] {
        assert!(!room.control.link_is_good(token).await.unwrap(), "{token}");
        assert!(matches!(room.control.open_link(token).await, Err(ControlError::NotFound { .. })), "{token}");
    }
}
