//! A small world for tests: two teams' servers, three principals, one group.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_model::definition::{Annotations, Definition, DefinitionHash, DefinitionKind, Discovery};
use bailiwick_model::grant::{Action, Grant, Grantee, Scope};
use bailiwick_model::principal::{Caller, Group, Principal, PrincipalKind, Role};
use bailiwick_model::server::{Server, Timeouts, Transport};
use bailiwick_model::toolset::{Selection, Toolset};
use bailiwick_model::{
    Generation, GrantId, GroupId, Name, PrincipalId, ServerId, TeamId, Timestamp, ToolsetId,
};
use serde_json::value::RawValue;

use crate::{Catalogue, Decision, Grants, Parts, People, Rules, Snapshot, Source, Target};

pub(crate) const ADA: PrincipalId = PrincipalId::from_bits(1);
pub(crate) const BOT: PrincipalId = PrincipalId::from_bits(2);
pub(crate) const OFF: PrincipalId = PrincipalId::from_bits(3);
pub(crate) const CREW: GroupId = GroupId::from_bits(1);
pub(crate) const FILES: ServerId = ServerId::from_bits(1);
pub(crate) const MAIL: ServerId = ServerId::from_bits(2);
pub(crate) const DESK: ToolsetId = ToolsetId::from_bits(1);
pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_785_196_800_000_000);

/// What is in the world, to be changed before it is built.
pub(crate) struct World {
    pub(crate) grants: Vec<Arc<Grant>>,
    pub(crate) disabled: Vec<ServerId>,
    pub(crate) rules: Rules,
    pub(crate) generation: u64,
}

pub(crate) fn world() -> World {
    World { grants: Vec::new(), disabled: Vec::new(), rules: Rules::builtin(), generation: 7 }
}

impl World {
    pub(crate) fn grant(self, to: Grantee, on: Scope, actions: &[Action]) -> Self {
        self.grant_until(to, on, actions, None)
    }

    pub(crate) fn grant_until(
        mut self,
        grantee: Grantee,
        scope: Scope,
        actions: &[Action],
        expires_at: Option<Timestamp>,
    ) -> Self {
        let id = GrantId::from_bits(self.grants.len() as u128 + 1);
        let actions = actions.to_vec();
        self.grants.push(Arc::new(Grant { id, grantee, scope, actions, expires_at, created_at: NOW }));
        self
    }

    pub(crate) fn rules(mut self, text: &str) -> Self {
        self.rules = Rules::with(text).unwrap();
        self
    }

    pub(crate) fn without(mut self, server: ServerId) -> Self {
        self.disabled.push(server);
        self
    }

    pub(crate) fn build(self) -> Snapshot {
        let servers = [(FILES, "files", files()), (MAIL, "mail", mail())].map(|(id, name, definitions)| {
            let enabled = !self.disabled.contains(&id);
            Source {
                server: server(id, name, enabled),
                discovery: Some(Arc::new(discovery(definitions))),
                stale: false,
            }
        });
        Snapshot::new(Parts {
            generation: Generation(self.generation),
            keys: Arc::default(),
            people: Arc::new(people()),
            catalogue: Arc::new(Catalogue::build(servers.into(), [desk()])),
            grants: Arc::new(Grants::build(self.grants)),
            rules: Arc::new(self.rules),
        })
    }
}

fn files() -> Vec<Definition> {
    vec![
        definition(DefinitionKind::Resource, "file:///readme"),
        definition(DefinitionKind::Tool, "read"),
        definition(DefinitionKind::Tool, "erase"),
        definition(DefinitionKind::ResourceTemplate, "file:///docs/{name}"),
        definition(DefinitionKind::ResourceTemplate, "file:///{+path}"),
        definition(DefinitionKind::Prompt, "summary"),
    ]
}

fn mail() -> Vec<Definition> {
    vec![definition(DefinitionKind::Tool, "send"), definition(DefinitionKind::Tool, "read")]
}

/// The toolset holds `files`' tool `read` and all of `mail`'s tools.
fn desk() -> Arc<Toolset> {
    let selections = vec![
        Selection { server: MAIL, kind: Some(DefinitionKind::Tool), key: None },
        Selection { server: FILES, kind: Some(DefinitionKind::Tool), key: Some("read".into()) },
        Selection { server: FILES, kind: Some(DefinitionKind::Tool), key: Some("read".into()) },
    ];
    Arc::new(Toolset {
        id: DESK,
        name: "desk".parse().unwrap(),
        team: TeamId::from_bits(1),
        description: String::new(),
        selections,
        created_at: NOW,
    })
}

pub(crate) fn definition(kind: DefinitionKind, key: &str) -> Definition {
    Definition {
        kind,
        key: key.into(),
        raw: RawValue::from_string("{}".into()).unwrap(),
        hash: DefinitionHash([kind as u8; 32]),
        annotations: Annotations { read_only_hint: key == "read", ..Annotations::default() },
    }
}

pub(crate) fn discovery(definitions: Vec<Definition>) -> Discovery {
    Discovery {
        eras: vec!["2025-11-25".into()],
        hello: RawValue::from_string("{}".into()).unwrap(),
        definitions,
        dropped: Vec::new(),
    }
}

pub(crate) fn server(id: ServerId, name: &str, enabled: bool) -> Arc<Server> {
    Arc::new(Server {
        id,
        name: name.parse().unwrap(),
        team: TeamId::from_bits(id.to_bits()),
        description: String::new(),
        transport: Transport::Http { url: "https://example.com/mcp".into(), headers: Default::default() },
        enabled,
        timeouts: Timeouts::default(),
        capture: bailiwick_model::Capture::default(),
        created_at: NOW,
    })
}

fn people() -> People {
    let group =
        Group { id: CREW, name: "crew".parse::<Name>().unwrap(), members: vec![BOT, OFF], created_at: NOW };
    People::build([ADA, BOT, OFF].map(principal), [Arc::new(group)])
}

pub(crate) fn principal(id: PrincipalId) -> Arc<Principal> {
    Arc::new(Principal {
        id,
        kind: if id == BOT { PrincipalKind::Agent } else { PrincipalKind::User },
        issuer: "bailiwick".into(),
        subject: format!("subject-{}", id.to_bits()),
        display_name: "Someone".into(),
        team: TeamId::from_bits(1),
        role: Role::Member,
        enabled: id != OFF,
        created_at: NOW,
    })
}

pub(crate) fn caller(id: PrincipalId) -> Caller {
    Caller { principal: principal(id), key: None, expires_at: None }
}

pub(crate) fn whole(server: ServerId) -> Scope {
    Scope::Server { server }
}

pub(crate) fn toolset() -> Scope {
    Scope::Toolset { toolset: DESK }
}

pub(crate) fn one(server: ServerId, kind: DefinitionKind, key: &str) -> Scope {
    Scope::Definition { server, kind, key: key.into() }
}

pub(crate) fn later(seconds: u64) -> Timestamp {
    NOW.saturating_add(Duration::from_secs(seconds))
}

impl Snapshot {
    /// Decides on a definition, or on the server where the key is empty.
    pub(crate) fn ask(
        &self,
        who: PrincipalId,
        action: Action,
        on: (ServerId, DefinitionKind, &str),
    ) -> Decision {
        self.ask_at(who, action, on, NOW)
    }

    pub(crate) fn ask_at(
        &self,
        who: PrincipalId,
        action: Action,
        (server, kind, key): (ServerId, DefinitionKind, &str),
        now: Timestamp,
    ) -> Decision {
        let server = self.catalogue.server_by_id(server).unwrap();
        let target = match key {
            "" => Target::Server(server),
            _ => Target::Definition(server, server.definition(kind, key).unwrap()),
        };
        self.decide(&caller(who), action, target, now)
    }
}
