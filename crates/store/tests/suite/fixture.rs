//! Things to put into a store, told apart by a number.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_model::definition::{Annotations, Definition, DefinitionHash, DefinitionKind, Discovery};
use bailiwick_model::grant::{Action, Grant, Grantee, Scope};
use bailiwick_model::key::{Audience, Key};
use bailiwick_model::principal::{Group, LOCAL_ISSUER, Principal, PrincipalKind, Role, Team};
use bailiwick_model::server::{Confinement, Server, Sharing, Timeouts, Transport, Value};
use bailiwick_model::toolset::{Selection, Toolset};
use bailiwick_model::{
    Generation, GrantId, GroupId, KeyId, PrincipalId, ServerId, TeamId, Timestamp, ToolsetId,
};
use bailiwick_store::{Store, StoreError, WriteTx};

/// A moment, to the microsecond.
pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_785_196_800_000_042);

/// So many seconds after [`NOW`], or before.
pub(crate) const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(NOW.as_micros() + seconds * 1_000_000)
}

pub(crate) fn team(n: u128) -> Team {
    Team { id: TeamId::from_bits(n), name: format!("team-{n}").parse().unwrap(), created_at: NOW }
}

pub(crate) fn principal(n: u128) -> Principal {
    Principal {
        id: PrincipalId::from_bits(n),
        kind: if n.is_multiple_of(2) { PrincipalKind::User } else { PrincipalKind::Agent },
        issuer: LOCAL_ISSUER.into(),
        subject: format!("subject-{n}"),
        display_name: format!("Zoë № {n} 🦊'\"\\"),
        team: TeamId::from_bits(1),
        role: Role::ALL[usize::try_from(n % 3).unwrap()],
        enabled: !n.is_multiple_of(5),
        created_at: at(-1),
    }
}

pub(crate) fn group(n: u128, members: &[u128]) -> Group {
    Group {
        id: GroupId::from_bits(n),
        name: format!("group-{n}").parse().unwrap(),
        members: members.iter().copied().map(PrincipalId::from_bits).collect(),
        created_at: NOW,
    }
}

pub(crate) fn server(n: u128) -> Server {
    Server {
        id: ServerId::from_bits(n),
        name: format!("server-{n}").parse().unwrap(),
        team: TeamId::from_bits(1),
        description: String::new(),
        transport: Transport::Http {
            url: format!("https://server-{n}.example/mcp?a=1&b=%20"),
            headers: BTreeMap::from([
                ("authorization".into(), Value::Secret),
                ("x-team".into(), Value::Plain { value: "a\"b".into() }),
            ]),
        },
        enabled: true,
        timeouts: Timeouts { connect_ms: 1, first_byte_ms: 2, idle_ms: 3 },
        capture: bailiwick_model::Capture::default(),
        created_at: NOW,
    }
}

pub(crate) fn stdio_server(n: u128) -> Server {
    let transport = Transport::Stdio {
        command: "npx".into(),
        args: vec!["-y".into(), "a b".into()],
        env: BTreeMap::from([("TOKEN".into(), Value::Secret)]),
        cwd: Some("/srv".into()),
        sharing: Sharing::Stateless,
        confinement: Confinement { network: true, memory_mb: Some(512), ..Confinement::default() },
    };
    Server { transport, enabled: false, ..server(n) }
}

pub(crate) fn definition(kind: DefinitionKind, key: &str, raw: &str) -> Definition {
    let length = u8::try_from(raw.len() % 256).unwrap();
    Definition {
        kind,
        key: key.into(),
        raw: serde_json::value::RawValue::from_string(raw.into()).unwrap(),
        hash: DefinitionHash([length; 32]),
        annotations: Annotations { read_only_hint: true, ..Annotations::default() },
    }
}

/// A discovery whose JSON shows any re-serialising: spaces, escapes, order, numbers, unknown members.
pub(crate) fn discovery() -> Discovery {
    Discovery {
        eras: vec!["2025-11-25".into(), "2026-07-28".into()],
        hello: serde_json::value::RawValue::from_string(r#"{ "z": 1.0e2, "a" : "\u00e9é" }"#.into()).unwrap(),
        definitions: vec![
            definition(DefinitionKind::Tool, "zeta", "{\"name\":\"zeta\",\n \"x-unknown\" : 1.50 }"),
            definition(DefinitionKind::Tool, "alpha", r#"{"name":"alpha","note":"\u0000 \/"}"#),
            definition(DefinitionKind::Prompt, "alpha", r#"{"name":"alpha"}"#),
            definition(DefinitionKind::Resource, "file:///a%20b", r#"{"uri":"file:///a%20b"}"#),
            definition(DefinitionKind::ResourceTemplate, "x://{id}", r#"{"uriTemplate":"x://{id}"}"#),
        ],
        dropped: vec!["one tool without a name".into()],
    }
}

pub(crate) fn toolset(n: u128, selections: Vec<Selection>) -> Toolset {
    Toolset {
        id: ToolsetId::from_bits(n),
        name: format!("toolset-{n}").parse().unwrap(),
        team: TeamId::from_bits(1),
        description: "what\nit is".into(),
        selections,
        created_at: NOW,
    }
}

pub(crate) fn selection(server: u128, kind: Option<DefinitionKind>, key: Option<&str>) -> Selection {
    Selection { server: ServerId::from_bits(server), kind, key: key.map(str::to_owned) }
}

pub(crate) fn grant(n: u128, grantee: Grantee, scope: Scope) -> Grant {
    let actions = vec![Action::Call, Action::List];
    Grant { id: GrantId::from_bits(n), grantee, scope, actions, expires_at: None, created_at: NOW }
}

pub(crate) fn key(n: u128, principal: u128) -> Key {
    Key {
        id: KeyId::from_bits(n),
        principal: PrincipalId::from_bits(principal),
        label: format!("key {n}"),
        prefix: format!("prefix{n}"),
        hash: [u8::try_from(n % 256).unwrap(); 32],
        audience: if n.is_multiple_of(2) { Audience::Mcp } else { Audience::Admin },
        expires_at: (!n.is_multiple_of(2)).then_some(at(60)),
        revoked_at: None,
        last_used_at: None,
        created_at: NOW,
    }
}

/// Does something in one unit of work and commits it.
pub(crate) async fn commit<F>(store: &Store, work: F) -> Generation
where
    F: AsyncFnOnce(&mut WriteTx) -> Result<(), StoreError>,
{
    let mut tx = store.begin().await.unwrap();
    work(&mut tx).await.unwrap();
    tx.commit().await.unwrap()
}

/// Does something in one unit of work that must fail, and drops it.
pub(crate) async fn refused<F, T: std::fmt::Debug>(store: &Store, work: F) -> StoreError
where
    F: AsyncFnOnce(&mut WriteTx) -> Result<T, StoreError>,
{
    let mut tx = store.begin().await.unwrap();
    work(&mut tx).await.unwrap_err()
}

/// Team 1, principals 1 to 3, group 1 of principals 1 and 2, servers 1 and 2, toolset 1 of both.
pub(crate) async fn populate(store: &Store) -> Generation {
    commit(store, async |tx| {
        tx.teams().insert(&team(1)).await?;
        for n in 1..=3 {
            tx.principals().insert(&principal(n)).await?;
        }
        tx.groups().insert(&group(1, &[1, 2])).await?;
        tx.servers().insert(&server(1)).await?;
        tx.servers().insert(&stdio_server(2)).await?;
        let selections = vec![
            selection(2, None, None),
            selection(1, Some(DefinitionKind::Tool), None),
            selection(1, Some(DefinitionKind::ResourceTemplate), Some("x://{id}")),
        ];
        tx.toolsets().insert(&toolset(1, selections)).await
    })
    .await
}

/// A store that several tasks hold.
pub(crate) fn shared(store: &Store) -> Arc<Store> {
    Arc::new(store.clone())
}
