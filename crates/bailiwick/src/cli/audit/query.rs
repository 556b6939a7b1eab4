//! `bailiwick audit query`: finds records by the index.

use std::time::Duration;

use bailiwick_console::wire::{CallView, List};
use bailiwick_model::{Clock as _, Timestamp};
use bailiwick_runtime::SystemClock;
use clap::Args;
use serde_json::{Value, json};

use super::super::client::{Client, segment};
use super::super::failure::Failure;
use super::super::lifetime;
use super::super::output::Output;
use super::super::table::{moment, or_dash, table};

/// Most records of one request.
const PIECE: usize = 500;

/// Which records to find: those that fit everything that is said, newest first.
#[derive(Debug, Args)]
pub struct Query {
    /// Of this user or agent, by name or id.
    #[arg(long, value_name = "NAME")]
    principal: Option<String>,
    /// At this server, by the name that it had then, or its id.
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// Of this tool, or of the prompt or resource with this key.
    #[arg(long, value_name = "NAME")]
    tool: Option<String>,
    /// What was decided.
    #[arg(long, value_parser = ["allow", "deny"])]
    decision: Option<String>,
    /// Of this kind: intent, local, denied, auth_failure, admin_change, definition_drift, lifecycle …
    #[arg(long)]
    kind: Option<String>,
    /// That ended so: ok, tool_error, rpc_error, upstream_timeout, unknown …
    #[arg(long)]
    status: Option<String>,
    /// That were refused for this reason: policy_denied, not_found …
    #[arg(long)]
    reason: Option<String>,
    /// Of this W3C trace.
    #[arg(long, value_name = "ID")]
    trace: Option<String>,
    /// Of this session, as records name it.
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// Of this call.
    #[arg(long, value_name = "ID")]
    call: Option<String>,
    /// With all these words in the request, or all of them in the answer.
    #[arg(long, value_name = "WORDS")]
    text: Option<String>,
    /// Not older than this: 90d, 12h, 30m.
    #[arg(long, value_parser = lifetime::parse, value_name = "TIME", conflicts_with = "from")]
    since: Option<Duration>,
    /// Not before this moment, such as 2026-07-28T12:00:00Z.
    #[arg(long, value_name = "MOMENT")]
    from: Option<String>,
    /// Before this moment.
    #[arg(long, value_name = "MOMENT")]
    to: Option<String>,
    /// How many at most.
    #[arg(long, short = 'n', default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

pub(super) async fn run(client: &Client, query: Query, output: &Output) -> Result<(), Failure> {
    let limit = usize::try_from(query.limit).unwrap_or(PIECE);
    let filter = filter(&query, SystemClock::new().now());
    let mut items: Vec<Value> = Vec::new();
    let mut after = None;
    // A piece may be empty and still have a next one: each looks at a bounded number of records.
    loop {
        let piece = (limit - items.len()).min(PIECE);
        let mut answer = client.get(&path(&filter, piece, after.as_deref())).await?;
        if let Some(Value::Array(more)) = answer.get_mut("items").map(Value::take) {
            items.extend(more);
        }
        after = answer.get("next").and_then(Value::as_str).map(ToOwned::to_owned);
        if after.is_none() || items.len() >= limit {
            break;
        }
    }
    let more = after.is_some();
    output.show(json!({ "items": items, "next": after }), |found: List<CallView>| {
        table(
            ["time", "kind", "who", "what", "result", "took", "call"],
            found.items.into_iter().map(row),
            "nothing fits",
        )
    })?;
    if more && !output.is_json() {
        output.note(&format!("there is more: only the newest {limit} are shown; see --limit and --to"));
    }
    Ok(())
}

/// The members of the request, by name.
fn filter(query: &Query, now: Timestamp) -> Vec<(&'static str, String)> {
    let since = query.since.map(|since| {
        let micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(now.as_micros().saturating_sub(micros).max(0)).to_string()
    });
    let members = [
        ("principal", &query.principal),
        ("server", &query.server),
        ("tool", &query.tool),
        ("decision", &query.decision),
        ("kind", &query.kind),
        ("status", &query.status),
        ("reason", &query.reason),
        ("trace", &query.trace),
        ("session", &query.session),
        ("call", &query.call),
        ("text", &query.text),
        ("from", &query.from),
        ("from", &since),
        ("to", &query.to),
    ];
    members.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect()
}

fn path(filter: &[(&'static str, String)], limit: usize, after: Option<&str>) -> String {
    let mut path = format!("/audit/calls?limit={limit}");
    let after = after.map(|after| ("after", after.to_owned()));
    for (name, value) in filter.iter().cloned().chain(after) {
        path.push_str(&format!("&{name}={}", segment(&value)));
    }
    path
}

fn row(record: CallView) -> [String; 7] {
    [
        moment(&record.time),
        record.kind.clone(),
        or_dash(record.subject.clone()),
        what(&record),
        result(&record),
        or_dash(took(&record)),
        or_dash(record.call),
    ]
}

/// What a record is about, in one text.
pub(super) fn what(record: &CallView) -> String {
    let thing = match (&record.server_name, &record.definition) {
        (Some(server), Some(key)) => Some(format!("{server} {key}")),
        (Some(server), None) => Some(server.clone()),
        (None, key) => key.clone(),
    };
    let method = record.method.clone().filter(|method| thing.is_none() || method != "tools/call");
    let words: Vec<String> = [method, thing, record.about.clone()].into_iter().flatten().collect();
    or_dash(Some(words.join(" ")))
}

/// How it ended, in one word.
pub(super) fn result(record: &CallView) -> String {
    match (&record.reason, &record.ending) {
        (Some(reason), _) => reason.clone(),
        (None, Some(ending)) => ending.status.clone(),
        (None, None) if record.kind == "intent" => "under way".to_owned(),
        (None, None) => "-".to_owned(),
    }
}

/// How long it took.
pub(super) fn took(record: &CallView) -> Option<String> {
    record.ending.as_ref()?.total_us.map(duration)
}

/// Microseconds as people read them.
pub(super) fn duration(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        _ => format!("{}.{} s", micros / 1_000_000, micros % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_cannot_leave_its_member() {
        let filter = [("text", "a&limit=500#x ä".to_owned())];
        let path = path(&filter, 10, Some("1.2.3"));
        assert_eq!(path, "/audit/calls?limit=10&text=a%26limit%3D500%23x%20%C3%A4&after=1.2.3");
    }

    #[test]
    fn durations_have_their_unit() {
        for (micros, text) in
            [(0, "0 µs"), (999, "999 µs"), (1_200, "1.2 ms"), (12_345, "12.3 ms"), (61_250_000, "61.2 s")]
        {
            assert_eq!(duration(micros), text);
        }
    }
}
