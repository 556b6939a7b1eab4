//! What a decision costs: `cargo bench -p bailiwick-policy`. One server of 5,000 tools, a caller in ten
//! groups, and 1,000 grants around. Prints microseconds; judges nothing.

#![expect(clippy::print_stdout, clippy::unwrap_used, clippy::disallowed_methods, reason = "a measurement")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use bailiwick_model::definition::{Annotations, Definition, DefinitionHash, DefinitionKind, Discovery};
use bailiwick_model::grant::{Action, Grant, Grantee, Scope};
use bailiwick_model::principal::{Caller, Group, Principal, PrincipalKind, Role};
use bailiwick_model::server::{Server, Timeouts, Transport};
use bailiwick_model::{Generation, GrantId, GroupId, PrincipalId, ServerId, TeamId, Timestamp};
use bailiwick_policy::{Catalogue, Grants, Parts, People, Rules, Snapshot, Source, Target};
use serde_json::value::RawValue;

const TOOLS: usize = 5_000;
const NOW: Timestamp = Timestamp::from_micros(1_785_196_800_000_000);
const SERVER: ServerId = ServerId::from_bits(1);

fn main() {
    let parts = parts();
    let caller = Caller {
        principal: Arc::clone(parts.people.principal(PrincipalId::from_bits(1)).unwrap()),
        key: None,
        expires_at: None,
    };
    let first = Snapshot::new(parts.clone());
    let server = first.catalogue.server("big").unwrap();
    let all = |snapshot: &Snapshot, action| {
        let allowed = server.definitions.iter().filter(|tool| {
            snapshot.decide(&caller, action, Target::Definition(server, tool), NOW).is_allow()
        });
        assert_eq!(black_box(allowed.count()), TOOLS);
    };
    each("list, catalogue new", || all(&first, Action::List));
    let second = Snapshot::new(parts);
    each("list, generation new", || all(&second, Action::List));
    each("call, uncached", || all(&second, Action::Call));
    each("call, cached", || all(&second, Action::Call));
    let tool = server.definitions.first().unwrap();
    each("one call, cached", || {
        for _ in 0..TOOLS {
            black_box(second.decide(&caller, Action::Call, Target::Definition(server, tool), NOW));
        }
    });
}

fn each(what: &str, work: impl FnOnce()) {
    let begin = Instant::now();
    work();
    let micros = begin.elapsed().as_secs_f64() * 1e6 / TOOLS as f64;
    println!("{what:<24} {micros:>8.2} µs each");
}

fn parts() -> Parts {
    let server = Arc::new(Server {
        id: SERVER,
        name: "big".parse().unwrap(),
        team: TeamId::from_bits(1),
        description: String::new(),
        transport: Transport::Http { url: "https://example.com/mcp".into(), headers: Default::default() },
        enabled: true,
        timeouts: Timeouts::default(),
        capture: bailiwick_model::Capture::default(),
        created_at: NOW,
    });
    let discovery = Discovery {
        eras: Vec::new(),
        hello: RawValue::from_string("{}".into()).unwrap(),
        definitions: (0..TOOLS).map(tool).collect(),
        dropped: Vec::new(),
    };
    let source = Source { server, discovery: Some(Arc::new(discovery)), stale: false };
    Parts {
        generation: Generation(1),
        keys: Arc::default(),
        people: Arc::new(people()),
        catalogue: Arc::new(Catalogue::build(vec![source], [])),
        grants: Arc::new(Grants::build((0..1_000).map(grant))),
        rules: Arc::new(Rules::builtin()),
    }
}

fn tool(number: usize) -> Definition {
    Definition {
        kind: DefinitionKind::Tool,
        key: format!("tool_{number}"),
        raw: RawValue::from_string("{}".into()).unwrap(),
        hash: DefinitionHash([0; 32]),
        annotations: Annotations::default(),
    }
}

fn people() -> People {
    let principal = Principal {
        id: PrincipalId::from_bits(1),
        kind: PrincipalKind::Agent,
        issuer: "bailiwick".into(),
        subject: "ci".into(),
        display_name: "CI".into(),
        team: TeamId::from_bits(1),
        role: Role::Member,
        enabled: true,
        created_at: NOW,
    };
    let groups = (0..10u128).map(|number| {
        let name = format!("group-{number}").parse().unwrap();
        let members = vec![principal.id];
        Arc::new(Group { id: GroupId::from_bits(number), name, members, created_at: NOW })
    });
    People::build([Arc::new(principal.clone())], groups)
}

/// The first is on the whole server for a group of the caller, the others on one tool each, most of them for
/// other people.
fn grant(number: u128) -> Arc<Grant> {
    let scope = match number {
        0 => Scope::Server { server: SERVER },
        _ => Scope::Definition { server: SERVER, kind: DefinitionKind::Tool, key: format!("tool_{number}") },
    };
    Arc::new(Grant {
        id: GrantId::from_bits(number),
        grantee: Grantee::Group(GroupId::from_bits(number % 100)),
        scope,
        actions: Action::ALL.to_vec(),
        expires_at: None,
        created_at: NOW,
    })
}
