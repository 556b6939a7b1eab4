//! Servers as text.

use bailiwick_console::wire::{DiscoveryView, ServerAddedView, ServerView, Transport, Value, ValueKind};

use super::super::clean::clean;
use super::super::table::{facts, moment, or_dash, table, yes_no};

/// A table of servers.
pub(super) fn list(servers: Vec<ServerView>) -> String {
    let rows = servers.into_iter().map(|server| {
        let (state, offers) = (state(&server), offers(server.discovery.as_ref()));
        [server.name, server.team, state, offers, reached(&server.transport)]
    });
    table(["name", "team", "state", "offers", "reached by"], rows, "there are no servers")
}

/// One server.
pub(super) fn one(server: &ServerView) -> String {
    let mut text = facts(known(server));
    if let Some(discovery) = &server.discovery {
        let rows = discovery.definitions.iter().map(|found| [found.kind.clone(), found.key.clone()]);
        text.push('\n');
        text.push_str(&table(["kind", "name"], rows, "it offers nothing"));
        for dropped in &discovery.dropped {
            text.push_str(&format!("left out: {}\n", clean(dropped)));
        }
    }
    text
}

/// A server that was switched on or off.
pub(super) fn changed(added: &ServerAddedView) -> String {
    format!("server {} is {}", clean(&added.server.name), state(&added.server))
}

/// A server that was registered or changed.
pub(super) fn added(added: ServerAddedView) -> String {
    let ServerAddedView { server, warnings } = added;
    let name = clean(&server.name);
    let mut text = String::new();
    for warning in warnings {
        text.push_str(&format!("warning: {}\n", clean(&warning)));
    }
    match &server.failure {
        Some(failure) => text.push_str(&format!(
            "server {name} is registered, but does not answer: {}\nnext: bailiwick server refresh {name}, when it does\n",
            clean(&failure.reason)
        )),
        None => text.push_str(&format!(
            "server {name} is registered and offers {}\nnext: bailiwick grant add --agent … --server {name}\n",
            offers(server.discovery.as_ref())
        )),
    }
    text
}

fn known(server: &ServerView) -> Vec<(&'static str, Option<String>)> {
    let discovery = server.discovery.as_ref();
    let health = server.health.as_ref();
    let failure = server.failure.as_ref();
    vec![
        ("name", Some(server.name.clone())),
        ("endpoint", Some(format!("/servers/{}/mcp", server.name))),
        ("team", Some(server.team.clone())),
        ("description", Some(server.description.clone()).filter(|text| !text.is_empty())),
        ("enabled", Some(yes_no(server.enabled))),
        ("state", Some(state(server))),
        ("since", health.and_then(|health| health.since.as_deref()).map(moment)),
        ("last error", health.and_then(|health| health.last_error.clone())),
        ("reached by", Some(reached(&server.transport))),
        ("shown", shown(&server.transport)),
        ("processes", health.map(|health| health.children.to_string()).filter(|_| is_stdio(server))),
        ("confinement", health.and_then(|health| health.confinement.as_ref()).map(ToString::to_string)),
        ("revisions", discovery.map(|discovery| or_dash(Some(discovery.eras.join(", "))))),
        ("discovered", discovery.map(|discovery| moment(&discovery.at))),
        ("not answered", failure.map(|failure| format!("{}: {}", moment(&failure.at), failure.reason))),
        ("registered", Some(moment(&server.created_at))),
        ("id", Some(server.id.clone())),
    ]
}

fn is_stdio(server: &ServerView) -> bool {
    matches!(server.transport, Transport::Stdio { .. })
}

fn state(server: &ServerView) -> String {
    let stale = if server.failure.is_some() && server.discovery.is_some() { ", stale" } else { "" };
    match (&server.health, server.enabled) {
        (_, false) => "disabled".to_owned(),
        (Some(health), true) => format!("{}{stale}", health.state),
        (None, true) => "unknown".to_owned(),
    }
}

fn reached(transport: &Transport) -> String {
    match transport {
        Transport::Http { url, .. } => url.clone(),
        Transport::Stdio { command, args, .. } => {
            let words: Vec<&str> = std::iter::once(command).chain(args).map(String::as_str).collect();
            words.join(" ")
        }
    }
}

fn shown(transport: &Transport) -> Option<String> {
    let (Transport::Http { headers: values, .. } | Transport::Stdio { env: values, .. }) = transport;
    let one = |(name, value): (&String, &Value)| match value.kind {
        ValueKind::Secret => format!("{name} (secret)"),
        ValueKind::Plain => format!("{name}={}", value.value.as_deref().unwrap_or_default()),
    };
    let all: Vec<_> = values.iter().map(one).collect();
    Some(all.join(", ")).filter(|text| !text.is_empty())
}

fn offers(discovery: Option<&DiscoveryView>) -> String {
    let Some(discovery) = discovery else { return "-".to_owned() };
    let count = |kind: &str| discovery.definitions.iter().filter(|found| found.kind == kind).count();
    let kinds = [
        (count("tool"), "tool"),
        (count("prompt"), "prompt"),
        (count("resource"), "resource"),
        (count("resource_template"), "template"),
    ];
    let words: Vec<_> = kinds
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}{}", if count == 1 { "" } else { "s" }))
        .collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}
