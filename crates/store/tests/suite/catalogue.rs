//! Servers, what they offer, toolsets, grants, and the image of all.

use bailiwick_model::definition::{DefinitionKind, Discovery};
use bailiwick_model::grant::{Action, Grantee, Scope};
use bailiwick_model::{ServerId, ToolsetId};
use bailiwick_store::{DiscoveryFailure, Page, Sealed, StoreError};

use super::fixture::{
    NOW, at, commit, definition, discovery, grant, group, key, populate, principal, refused, selection,
    server, stdio_server, toolset,
};
use crate::support::database::TestDatabase;

fn written(discovery: &Discovery) -> String {
    serde_json::to_string(discovery).unwrap()
}

pub(crate) async fn servers_of_both_transports_read_back_as_written(db: TestDatabase) {
    populate(&db.store).await;
    let mut renamed = server(1);
    renamed.name = "other".parse().unwrap();
    renamed.enabled = false;
    commit(&db.store, async |tx| tx.servers().update(&renamed).await.map(drop)).await;

    let mut tx = db.store.read().await.unwrap();
    assert_eq!(tx.servers().list(Page::first(9)).await.unwrap(), [renamed.clone(), stdio_server(2)]);
    assert_eq!(tx.servers().by_name(&renamed.name).await.unwrap(), Some(renamed));
    assert_eq!(tx.servers().by_name(&server(1).name).await.unwrap(), None);
}

pub(crate) async fn names_are_unique_by_kind_of_thing(db: TestDatabase) {
    populate(&db.store).await;
    let mut twin = server(9);
    twin.name = server(1).name;
    let error = refused(&db.store, async |tx| tx.servers().insert(&twin).await).await;
    assert!(matches!(error, StoreError::Taken { what: "server name" }), "{error:?}");
    let mut renamed = server(1);
    renamed.name = server(2).name;
    let error = refused(&db.store, async |tx| tx.servers().update(&renamed).await).await;
    assert!(matches!(error, StoreError::Taken { what: "server name" }), "{error:?}");

    let mut twin = toolset(9, vec![]);
    twin.name = toolset(1, vec![]).name;
    let error = refused(&db.store, async |tx| tx.toolsets().insert(&twin).await).await;
    assert!(matches!(error, StoreError::Taken { what: "toolset name" }), "{error:?}");

    let mut twin = group(9, &[]);
    twin.name = group(1, &[]).name;
    let error = refused(&db.store, async |tx| tx.groups().insert(&twin).await).await;
    assert!(matches!(error, StoreError::Taken { what: "group name" }), "{error:?}");

    let mut other_kind = toolset(9, vec![]);
    other_kind.name = server(1).name;
    commit(&db.store, async |tx| tx.toolsets().insert(&other_kind).await).await;
}

pub(crate) async fn sealed_secrets_are_kept_by_server_and_name(db: TestDatabase) {
    let before = populate(&db.store).await;
    let every_byte = Sealed((0..=255).collect());
    let after = commit(&db.store, async |tx| {
        tx.secrets().put(server(1).id, "a", &Sealed(vec![1])).await?;
        tx.secrets().put(server(1).id, "a", &every_byte).await?;
        tx.secrets().put(server(1).id, "b", &Sealed(vec![])).await?;
        tx.secrets().put(server(2).id, "a", &Sealed(vec![2])).await?;
        assert!(tx.secrets().remove(server(1).id, "b").await?);
        assert!(!tx.secrets().remove(server(1).id, "b").await?);
        Ok(())
    })
    .await;
    assert!(after > before);

    let mut tx = db.store.read().await.unwrap();
    let secrets = tx.secrets().of(server(1).id).await.unwrap();
    assert_eq!(secrets.into_iter().collect::<Vec<_>>(), [("a".to_owned(), every_byte)]);
    let error =
        refused(&db.store, async |tx| tx.secrets().put(ServerId::from_bits(9), "a", &Sealed(vec![1])).await);
    assert!(matches!(error.await, StoreError::Dangling));
}

pub(crate) async fn a_deleted_server_leaves_nothing_behind(db: TestDatabase) {
    populate(&db.store).await;
    let one = server(1).id;
    let who = Grantee::Principal(principal(1).id);
    commit(&db.store, async |tx| {
        tx.secrets().put(one, "a", &Sealed(vec![1])).await?;
        tx.discoveries().record(one, &discovery(), NOW).await?;
        tx.grants().insert(&grant(1, who, Scope::Server { server: one })).await?;
        let scope = Scope::Definition { server: one, kind: DefinitionKind::Tool, key: "zeta".into() };
        tx.grants().insert(&grant(2, who, scope)).await?;
        tx.grants().insert(&grant(3, who, Scope::Toolset { toolset: ToolsetId::from_bits(1) })).await
    })
    .await;
    commit(&db.store, async |tx| tx.servers().delete(one).await.map(drop)).await;

    let image = db.store.load_all().await.unwrap();
    assert_eq!(image.servers.len(), 1);
    assert!(image.discoveries.is_empty());
    assert_eq!(image.toolsets[0].selections, [selection(2, None, None)]);
    assert_eq!(image.grants.len(), 1, "the toolset's stays");

    commit(&db.store, async |tx| tx.servers().insert(&server(1)).await).await;
    let mut tx = db.store.read().await.unwrap();
    assert!(tx.secrets().of(one).await.unwrap().is_empty());
    assert!(tx.discoveries().get(one).await.unwrap().is_none());
}

pub(crate) async fn toolsets_read_back_with_selections_in_order(db: TestDatabase) {
    populate(&db.store).await;
    let mut changed = toolset(1, vec![selection(1, None, None), selection(2, None, Some("k"))]);
    changed.description = String::new();
    let empty = toolset(2, vec![]);
    commit(&db.store, async |tx| {
        let first = tx.toolsets().get(changed.id).await?.unwrap();
        assert_eq!(first.selections[0], selection(2, None, None));
        assert_eq!(
            first.selections[2],
            selection(1, Some(DefinitionKind::ResourceTemplate), Some("x://{id}"))
        );
        tx.toolsets().update(&changed).await?;
        tx.toolsets().insert(&empty).await
    })
    .await;

    let mut tx = db.store.read().await.unwrap();
    assert_eq!(tx.toolsets().list(Page::first(9)).await.unwrap(), [changed, empty.clone()]);
    assert_eq!(tx.toolsets().by_name(&empty.name).await.unwrap(), Some(empty));
    drop(tx);

    let dangling = toolset(3, vec![selection(9, None, None)]);
    let error = refused(&db.store, async |tx| tx.toolsets().insert(&dangling).await).await;
    assert!(matches!(error, StoreError::Dangling), "{error:?}");
    commit(&db.store, async |tx| tx.toolsets().delete(ToolsetId::from_bits(1)).await.map(drop)).await;
    assert_eq!(db.store.load_all().await.unwrap().toolsets.len(), 1);
}

pub(crate) async fn grants_of_every_scope_read_back_as_written(db: TestDatabase) {
    populate(&db.store).await;
    let person = Grantee::Principal(principal(1).id);
    let everyone = Grantee::Group(group(1, &[]).id);
    let mut scopes =
        vec![Scope::Server { server: server(1).id }, Scope::Toolset { toolset: ToolsetId::from_bits(1) }];
    scopes.extend(DefinitionKind::ALL.map(|kind| Scope::Definition {
        server: server(2).id,
        kind,
        key: "ü/{x}".into(),
    }));
    let mut grants = Vec::new();
    for (n, scope) in (0u128..).zip(&scopes) {
        let mut first = grant(2 * n, person, scope.clone());
        first.expires_at = Some(at(60));
        first.actions = Action::ALL.to_vec();
        grants.push(first);
        grants.push(grant(2 * n + 1, everyone, scope.clone()));
    }
    commit(&db.store, async |tx| {
        for grant in &grants {
            tx.grants().insert(grant).await?;
        }
        Ok(())
    })
    .await;

    let mut tx = db.store.read().await.unwrap();
    assert_eq!(tx.grants().list(Page::first(99)).await.unwrap(), grants);
    drop(tx);
    commit(&db.store, async |tx| tx.toolsets().delete(ToolsetId::from_bits(1)).await.map(drop)).await;
    commit(&db.store, async |tx| tx.grants().delete(grants[0].id).await.map(drop)).await;
    let mut tx = db.store.read().await.unwrap();
    assert_eq!(tx.grants().get(grants[0].id).await.unwrap(), None);
    assert_eq!(tx.grants().get(grants[1].id).await.unwrap().as_ref(), Some(&grants[1]));
    assert_eq!(tx.grants().list(Page::first(99)).await.unwrap().len(), grants.len() - 3);
}

pub(crate) async fn grants_on_what_does_not_exist_are_dangling(db: TestDatabase) {
    populate(&db.store).await;
    let (nobody, nothing) = (principal(9).id, server(9).id);
    for (grantee, scope) in [
        (Grantee::Principal(nobody), Scope::Server { server: server(1).id }),
        (Grantee::Group(group(9, &[]).id), Scope::Server { server: server(1).id }),
        (Grantee::Principal(principal(1).id), Scope::Server { server: nothing }),
        (Grantee::Principal(principal(1).id), Scope::Toolset { toolset: ToolsetId::from_bits(9) }),
    ] {
        let error = refused(&db.store, async |tx| tx.grants().insert(&grant(1, grantee, scope)).await).await;
        assert!(matches!(error, StoreError::Dangling), "{error:?}");
    }
}

pub(crate) async fn definitions_survive_byte_for_byte_and_in_order(db: TestDatabase) {
    populate(&db.store).await;
    commit(&db.store, async |tx| {
        assert!(tx.discoveries().record(server(1).id, &discovery(), at(7)).await?);
        Ok(())
    })
    .await;

    let state = db.store.read().await.unwrap().discoveries().get(server(1).id).await.unwrap().unwrap();
    assert!(!state.is_stale());
    let good = state.last_good.unwrap();
    assert_eq!(good.discovered_at, at(7));
    assert_eq!(written(&good.discovery), written(&discovery()));
}

pub(crate) async fn the_same_discovery_again_is_no_change(db: TestDatabase) {
    populate(&db.store).await;
    let mut again = discovery();
    let record = async |discovery: &Discovery, now| {
        commit(&db.store, async |tx| tx.discoveries().record(server(1).id, discovery, now).await.map(drop))
            .await
    };
    let before = record(&again, at(1)).await;
    again.dropped.clear();
    assert_eq!(record(&again, at(2)).await, before);

    let state = db.store.load_all().await.unwrap().discoveries.remove(0);
    let good = state.last_good.unwrap();
    assert_eq!(good.discovered_at, at(2));
    assert_eq!(written(&good.discovery), written(&again));
}

pub(crate) async fn any_difference_in_a_discovery_is_a_change(db: TestDatabase) {
    populate(&db.store).await;
    let edits: [fn(&mut Discovery); 6] = [
        |d| d.eras.truncate(1),
        |d| d.hello = serde_json::value::RawValue::from_string("{}".into()).unwrap(),
        |d| d.definitions.swap(0, 1),
        |d| d.definitions.truncate(2),
        |d| d.definitions[0].annotations.destructive_hint = false,
        |d| d.definitions[1] = definition(DefinitionKind::Tool, "zeta", r#"{"name":"zeta"}"#),
    ];
    let mut current = discovery();
    let mut tx = db.store.begin().await.unwrap();
    assert!(tx.discoveries().record(server(1).id, &current, NOW).await.unwrap());
    for edit in edits {
        edit(&mut current);
        assert!(tx.discoveries().record(server(1).id, &current, NOW).await.unwrap());
        assert!(!tx.discoveries().record(server(1).id, &current, NOW).await.unwrap());
        let state = tx.discoveries().get(server(1).id).await.unwrap().unwrap();
        assert_eq!(written(&state.last_good.unwrap().discovery), written(&current));
    }
}

pub(crate) async fn a_failed_discovery_leaves_the_last_good_one_stale(db: TestDatabase) {
    let before = populate(&db.store).await;
    let failure = DiscoveryFailure { failed_at: at(3), reason: "connection refused".into() };
    let fail = async || {
        commit(&db.store, async |tx| tx.discoveries().record_failure(server(1).id, &failure).await).await
    };
    let state =
        async || db.store.read().await.unwrap().discoveries().get(server(1).id).await.unwrap().unwrap();

    assert_eq!(fail().await, before);
    let never = state().await;
    assert!(never.is_stale() && never.last_good.is_none());

    commit(&db.store, async |tx| tx.discoveries().record(server(1).id, &discovery(), at(4)).await.map(drop))
        .await;
    assert!(!state().await.is_stale());

    let generation = db.store.generation().await.unwrap();
    assert_eq!(fail().await, generation);
    let stale = state().await;
    assert_eq!(stale.failure.as_ref(), Some(&failure));
    assert_eq!(written(&stale.last_good.unwrap().discovery), written(&discovery()));
}

pub(crate) async fn thousands_of_definitions_are_kept_whole(db: TestDatabase) {
    populate(&db.store).await;
    let raw = |n: usize| format!(r#"{{"name":"tool-{n}","description":"{}"}}"#, "x".repeat(n % 900));
    let tools = (0..2_003).map(|n| definition(DefinitionKind::Tool, &format!("tool-{n}"), &raw(n))).collect();
    let many = Discovery { definitions: tools, ..discovery() };
    commit(&db.store, async |tx| tx.discoveries().record(server(1).id, &many, NOW).await.map(drop)).await;
    let state = db.store.load_all().await.unwrap().discoveries.remove(0);
    assert_eq!(written(&state.last_good.unwrap().discovery), written(&many));
}

pub(crate) async fn two_definitions_of_one_kind_and_key_are_refused(db: TestDatabase) {
    populate(&db.store).await;
    let mut twins = discovery();
    twins.definitions.push(twins.definitions[0].clone());
    let error = refused(&db.store, async |tx| tx.discoveries().record(server(1).id, &twins, NOW).await).await;
    assert!(matches!(error, StoreError::Taken { what: "definition" }), "{error:?}");
}

pub(crate) async fn the_image_holds_everything_of_one_moment(db: TestDatabase) {
    populate(&db.store).await;
    let grant = grant(1, Grantee::Group(group(1, &[]).id), Scope::Server { server: server(1).id });
    let generation = commit(&db.store, async |tx| {
        tx.secrets().put(server(2).id, "env:TOKEN", &Sealed(vec![7])).await?;
        tx.discoveries().record(server(1).id, &discovery(), NOW).await?;
        tx.grants().insert(&grant).await?;
        tx.keys().insert(&key(1, 1)).await
    })
    .await;

    let image = db.store.load_all().await.unwrap();
    assert_eq!(image.generation, generation);
    assert_eq!(image.teams.len(), 1);
    assert_eq!(image.principals, [principal(1), principal(2), principal(3)]);
    assert_eq!(image.groups, [group(1, &[1, 2])]);
    assert_eq!(image.servers[0].server, server(1));
    assert!(image.servers[0].secrets.is_empty());
    assert_eq!(image.servers[1].secrets["env:TOKEN"], Sealed(vec![7]));
    assert_eq!(image.discoveries.len(), 1);
    assert_eq!(image.toolsets[0].selections.len(), 3);
    assert_eq!(image.grants, [grant]);
    assert_eq!(image.keys, [key(1, 1)]);
}
