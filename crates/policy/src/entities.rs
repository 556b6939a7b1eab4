//! The domain's things as Cedar entities, in the shape that `rules/schema.cedarschema` declares.
//!
//! A decision needs few of them: the principal, the resource, its server. The resource's part is built once
//! per catalogue ([`Slice`]); the principal's is built for the decision, with those memberships in
//! `Grantees` that the resource asks for, so that a thousand other grants cost nothing.

use std::sync::LazyLock;

use bailiwick_model::definition::{Definition, DefinitionKind};
use bailiwick_model::grant::{Action, Scope};
use bailiwick_model::principal::{Principal, PrincipalKind};
use bailiwick_model::server::Server;
use bailiwick_model::{GroupId, ToolsetId};
use cedar_policy::entities_errors::EntitiesError;
use cedar_policy::{
    Entities, Entity, EntityAttrEvaluationError, EntityId, EntityTypeName, EntityUid,
    RestrictedExpression as Value,
};

/// Entities that could not be built; the decision is a denial.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unbuildable {
    #[error(transparent)]
    Attribute(#[from] Box<EntityAttrEvaluationError>),
    #[error(transparent)]
    Hierarchy(#[from] Box<EntitiesError>),
}

/// What a grant must be on to open a door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Via {
    /// On exactly this: the definition, its server or a toolset that selects it.
    Scope(Scope),
    /// On a server, on one of its definitions, or on a toolset that selects some of them: enough to open a
    /// session with the server.
    Anything,
}

/// One way in: who is let in by it to list, and to use.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) via: Via,
    listers: EntityUid,
    users: EntityUid,
}

impl Door {
    /// Everyone whom this lets do the action.
    pub(crate) fn grantees(&self, action: Action) -> &EntityUid {
        if action == Action::List { &self.listers } else { &self.users }
    }
}

/// A resource as policies see it.
#[derive(Debug)]
pub(crate) struct Slice {
    pub(crate) uid: EntityUid,
    pub(crate) doors: Vec<Door>,
    /// The resource and its server.
    pub(crate) entities: Entities,
}

/// The one action, besides listing, that a kind of definition has.
pub(crate) const fn use_of(kind: DefinitionKind) -> Action {
    match kind {
        DefinitionKind::Tool => Action::Call,
        DefinitionKind::Prompt => Action::Get,
        DefinitionKind::Resource | DefinitionKind::ResourceTemplate => Action::Read,
    }
}

impl Slice {
    /// A server as a whole.
    pub(crate) fn of_server(server: &Server) -> Result<Self, Unbuildable> {
        let entity = server_entity(server)?;
        let grantees = reachers(server);
        let doors = vec![Door { via: Via::Anything, listers: grantees.clone(), users: grantees }];
        Ok(Self { uid: entity.uid(), doors, entities: store([entity])? })
    }

    /// A definition.
    pub(crate) fn of_definition(
        server: &Server,
        definition: &Definition,
        toolsets: &[ToolsetId],
    ) -> Result<Self, Unbuildable> {
        let (id, kind, key) = (server.id, definition.kind, definition.key.clone());
        let mut doors = vec![
            door(Scope::Definition { server: id, kind, key }, kind),
            door(Scope::Server { server: id }, kind),
        ];
        doors.extend(toolsets.iter().map(|id| door(Scope::Toolset { toolset: *id }, kind)));
        let mut attributes = resource_attributes(server, definition.kind, &definition.key, &doors);
        if definition.kind == DefinitionKind::Tool {
            let hints = definition.annotations;
            attributes.extend([
                ("readOnly".to_owned(), Value::new_bool(hints.read_only_hint)),
                ("destructive".to_owned(), Value::new_bool(hints.destructive_hint)),
                ("idempotent".to_owned(), Value::new_bool(hints.idempotent_hint)),
                ("openWorld".to_owned(), Value::new_bool(hints.open_world_hint)),
            ]);
        }
        let uid = resource_uid(server, definition.kind, &definition.key);
        let parents = toolsets.iter().map(|id| uid_of(&TYPES.toolset, id.to_string()));
        Self::build(server, uid, doors, (attributes, parents.collect()))
    }

    /// A URI that no definition covers: only the server's own door leads to it.
    pub(crate) fn of_uri(server: &Server, uri: &str) -> Result<Self, Unbuildable> {
        let doors = vec![door(Scope::Server { server: server.id }, DefinitionKind::Resource)];
        let attributes = resource_attributes(server, DefinitionKind::Resource, uri, &doors);
        let uid = resource_uid(server, DefinitionKind::Resource, uri);
        Self::build(server, uid, doors, (attributes, Vec::new()))
    }

    fn build(
        server: &Server,
        uid: EntityUid,
        doors: Vec<Door>,
        (attributes, mut parents): (Vec<(String, Value)>, Vec<EntityUid>),
    ) -> Result<Self, Unbuildable> {
        parents.push(server_uid(server));
        let entity = Entity::new_with_tags(uid.clone(), attributes, parents, []).map_err(Box::new)?;
        Ok(Self { uid, doors, entities: store([entity, server_entity(server)?])? })
    }
}

/// The principal's identity in Cedar.
pub(crate) fn principal_uid(principal: &Principal) -> EntityUid {
    let kind = match principal.kind {
        PrincipalKind::User => &TYPES.user,
        PrincipalKind::Agent => &TYPES.agent,
    };
    uid_of(kind, principal.id.to_string())
}

/// A group's identity in Cedar.
pub(crate) fn group_uid(group: GroupId) -> EntityUid {
    uid_of(&TYPES.group, group.to_string())
}

/// The principal with its groups and the `Grantees` that it is in.
pub(crate) fn principal_entity(
    principal: &Principal,
    uid: EntityUid,
    parents: impl IntoIterator<Item = EntityUid>,
) -> Result<Entity, Unbuildable> {
    let attributes = [
        ("name".to_owned(), Value::new_string(principal.subject.clone())),
        ("team".to_owned(), Value::new_entity_uid(uid_of(&TYPES.team, principal.team.to_string()))),
        ("enabled".to_owned(), Value::new_bool(principal.enabled)),
    ];
    Ok(Entity::new_with_tags(uid, attributes, parents, []).map_err(Box::new)?)
}

/// The action's identity in Cedar.
pub(crate) fn action_uid(action: Action) -> &'static EntityUid {
    static UIDS: LazyLock<[EntityUid; Action::ALL.len()]> =
        LazyLock::new(|| Action::ALL.map(|action| uid_of(&type_name("Action"), action.as_str().to_owned())));
    &UIDS[action as usize]
}

struct Types {
    agent: EntityTypeName,
    grantees: EntityTypeName,
    group: EntityTypeName,
    kinds: [EntityTypeName; DefinitionKind::ALL.len()],
    server: EntityTypeName,
    team: EntityTypeName,
    toolset: EntityTypeName,
    user: EntityTypeName,
}

static TYPES: LazyLock<Types> = LazyLock::new(|| Types {
    agent: type_name("Agent"),
    grantees: type_name("Grantees"),
    group: type_name("Group"),
    kinds: ["Tool", "Prompt", "Resource", "ResourceTemplate"].map(type_name),
    server: type_name("Server"),
    team: type_name("Team"),
    toolset: type_name("Toolset"),
    user: type_name("User"),
});

fn type_name(name: &str) -> EntityTypeName {
    name.parse().expect("the names of our entity types are identifiers")
}

fn uid_of(kind: &EntityTypeName, id: String) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn server_uid(server: &Server) -> EntityUid {
    uid_of(&TYPES.server, server.id.to_string())
}

// A server's id has a fixed length and the kind is in the type, so no key can pass for another's.
fn resource_uid(server: &Server, kind: DefinitionKind, key: &str) -> EntityUid {
    uid_of(&TYPES.kinds[kind as usize], format!("{}/{key}", server.id))
}

fn reachers(server: &Server) -> EntityUid {
    uid_of(&TYPES.grantees, format!("reach:{}", server.id))
}

fn door(scope: Scope, kind: DefinitionKind) -> Door {
    let written = match &scope {
        Scope::Server { server } => server.to_string(),
        Scope::Toolset { toolset } => toolset.to_string(),
        Scope::Definition { server, kind, key } => format!("{server}/{}/{key}", kind.as_str()),
    };
    let grantees = |action: Action| uid_of(&TYPES.grantees, format!("{}:{written}", action.as_str()));
    Door { listers: grantees(Action::List), users: grantees(use_of(kind)), via: Via::Scope(scope) }
}

fn server_entity(server: &Server) -> Result<Entity, Unbuildable> {
    let attributes = [
        ("name".to_owned(), Value::new_string(server.name.as_str().to_owned())),
        ("team".to_owned(), team_of(server)),
        ("enabled".to_owned(), Value::new_bool(server.enabled)),
        ("listers".to_owned(), Value::new_set([Value::new_entity_uid(reachers(server))])),
    ];
    Ok(Entity::new_with_tags(server_uid(server), attributes, [], []).map_err(Box::new)?)
}

fn resource_attributes(
    server: &Server,
    kind: DefinitionKind,
    key: &str,
    doors: &[Door],
) -> Vec<(String, Value)> {
    let users = match use_of(kind) {
        Action::Get => "getters",
        Action::Read => "readers",
        Action::Call | Action::List => "callers",
    };
    let set = |pick: fn(&Door) -> &EntityUid| {
        Value::new_set(doors.iter().map(|door| Value::new_entity_uid(pick(door).clone())))
    };
    vec![
        ("key".to_owned(), Value::new_string(key.to_owned())),
        ("server".to_owned(), Value::new_entity_uid(server_uid(server))),
        ("team".to_owned(), team_of(server)),
        ("listers".to_owned(), set(|door| &door.listers)),
        (users.to_owned(), set(|door| &door.users)),
    ]
}

fn team_of(server: &Server) -> Value {
    Value::new_entity_uid(uid_of(&TYPES.team, server.team.to_string()))
}

fn store(entities: impl IntoIterator<Item = Entity>) -> Result<Entities, Unbuildable> {
    Ok(Entities::from_entities(entities, None).map_err(Box::new)?)
}
