//! Teams, principals, groups, toolsets.

use bailiwick_model::principal::{PrincipalKind, Role};

use super::{agent, server};
use crate::testing::Room;
use crate::{ControlError, NewPrincipal, NewToolset, Page, PrincipalChange, ToolsetChange, WantedSelection};

#[tokio::test]
async fn the_last_administrator_stays() {
    let room = Room::new().await;
    let admin = room.admin().await;
    for change in [
        PrincipalChange { enabled: Some(false), ..PrincipalChange::default() },
        PrincipalChange { role: Some(Role::Auditor), ..PrincipalChange::default() },
    ] {
        let refused = room.control.update_principal(&admin, "admin", change).await;
        assert!(matches!(refused, Err(ControlError::Conflict(_))));
    }
    let second = NewPrincipal { kind: PrincipalKind::User, role: Role::Admin, ..agent("second") };
    room.control.add_principal(&admin, second).await.unwrap();
    let off = PrincipalChange { enabled: Some(false), ..PrincipalChange::default() };
    room.control.update_principal(&admin, "admin", off).await.unwrap();
}

#[tokio::test]
async fn agents_do_not_administer() {
    let room = Room::new().await;
    let admin = room.admin().await;
    let wrong = NewPrincipal { role: Role::Admin, ..agent("bot") };
    assert!(matches!(room.control.add_principal(&admin, wrong).await, Err(ControlError::Invalid { .. })));
}

#[tokio::test]
async fn membership_is_in_the_snapshot_and_may_be_said_twice() {
    let room = Room::new().await;
    let admin = room.admin().await;
    let bot = room.control.add_principal(&admin, agent("bot")).await.unwrap().principal.id;
    let group = room.control.add_group(&admin, "support".parse().unwrap(), &[]).await.unwrap().group.id;
    for _ in 0..2 {
        let shown = room.control.set_member(&admin, ("support", "bot"), true).await.unwrap();
        assert_eq!(shown.members.len(), 1);
    }
    assert_eq!(room.snapshots.borrow().people.groups_of(bot), [group]);
    let shown = room.control.show_principal(&admin, "bot").await.unwrap();
    assert_eq!(shown.groups.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["support"]);
    room.control.set_member(&admin, ("support", "bot"), false).await.unwrap();
    assert!(room.snapshots.borrow().people.groups_of(bot).is_empty());
    room.control.remove_group(&admin, "support").await.unwrap();
    assert!(room.snapshots.borrow().people.group(group).is_none());
}

#[tokio::test]
async fn a_toolset_is_in_the_snapshot_with_its_servers_by_name() {
    let room = Room::new().await;
    let admin = room.admin().await;
    room.control.add_server(&admin, server("files")).await.unwrap();
    let selections = vec![WantedSelection { server: "files".into(), kind: None, key: None }; 2];
    let new = NewToolset { name: "t".parse().unwrap(), team: None, description: String::new(), selections };
    let made = room.control.add_toolset(&admin, new).await.unwrap();
    assert_eq!(made.toolset.selections.len(), 1, "the same selection twice is once");
    assert_eq!(made.servers[0].1.as_str(), "files");
    assert!(room.snapshots.borrow().catalogue.toolset("t").is_some());
    let change = ToolsetChange { selections: Some(vec![]), ..ToolsetChange::default() };
    let changed = room.control.update_toolset(&admin, "t", change).await.unwrap();
    assert!(changed.toolset.selections.is_empty());
    room.control.remove_toolset(&admin, "t").await.unwrap();
    assert!(room.snapshots.borrow().catalogue.toolset("t").is_none());
}

#[tokio::test]
async fn lists_come_in_pieces_that_join() {
    let room = Room::new().await;
    let admin = room.admin().await;
    for name in ["a", "b", "c", "d"] {
        room.control.add_team(&admin, name.parse().unwrap()).await.unwrap();
    }
    let mut names = Vec::new();
    let mut page = Page::first(2);
    loop {
        let piece = room.control.list_teams(&admin, page).await.unwrap();
        names.extend(piece.items.into_iter().map(|team| team.name.to_string()));
        match piece.next {
            Some(after) => page = Page::after(after, 2),
            None => break,
        }
    }
    // Within one millisecond the order of making is chance.
    names.sort();
    assert_eq!(names, ["a", "b", "c", "d", "default"]);
}
