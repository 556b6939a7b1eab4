//! `GET /metrics`: what Prometheus scrapes, with an admin key of an auditor or administrator as bearer token.
//!
//! Everything is read when it is asked for; the data path counts under locks that it takes anyway.
//!
//! INVARIANT: labels have values from fixed lists only. No name that a caller, a server or a team chose is in here, so a
//! stranger cannot make series, and nobody learns of things that are not theirs.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bailiwick_control::{Control, Counts, IndexState};
use http::header::CONTENT_TYPE;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::gate::Admitted;
use crate::problem::Problem;

/// OpenMetrics 1.0, as Prometheus asks for it.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Decision and status of a call.
type Labels = [(&'static str, &'static str); 2];

pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
) -> Result<Response, Problem> {
    let index = control.index_state(&actor)?;
    let ledger = control.audit_status(&actor).await?;
    let now = Now {
        index,
        available: ledger.available,
        records: ledger.next_index,
        stored: ledger.bytes,
        open: ledger.open_calls as u64,
        refused: ledger.refused,
        unsigned: ledger.next_index.saturating_sub(ledger.checkpoint_size),
        counts: ledger.counts,
    };
    let text = now
        .exposition()
        .map_err(|error| Problem::from(bailiwick_control::ControlError::Internal(error.into())))?;
    Ok(([(CONTENT_TYPE, OPEN_METRICS)], text).into_response())
}

/// What is told.
#[derive(Debug, Default)]
struct Now {
    index: IndexState,
    available: bool,
    records: u64,
    stored: u64,
    open: u64,
    refused: u64,
    unsigned: u64,
    counts: Counts,
}

impl Now {
    fn exposition(&self) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::with_prefix("bailiwick");
        self.calls(&mut registry);
        self.ledger(&mut registry);
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The running version", version);
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }

    fn calls(&self, registry: &mut Registry) {
        let calls = Family::<Labels, Counter>::default();
        let count = |decision, status, count| {
            calls.get_or_create(&[("decision", decision), ("status", status)]).inc_by(count);
        };
        for (status, ended) in self.counts.ended() {
            count("allow", status.as_str(), ended);
        }
        count("deny", "denied", self.counts.denied);
        count("local", "ok", self.counts.local);
        let help = "Requests of agents since the start, by decision and by how they ended; \
                    local ones were answered by the gateway itself";
        registry.register("calls", help, calls);
        gauge(registry, "open_calls", "Calls with an intent and no outcome yet", self.open);
    }

    fn ledger(&self, registry: &mut Registry) {
        let available = "Whether the ledger takes records: 1 or 0; if not, calls are refused";
        gauge(registry, "ledger_available", available, self.available.into());
        counter(
            registry,
            "ledger_records",
            "Records in the ledger, those before the start included",
            self.records,
        );
        counter(
            registry,
            "ledger_appended_bytes",
            "Bytes appended to the ledger since the start",
            self.counts.bytes,
        );
        gauge(registry, "ledger_stored_bytes", "Length of the segments in the data directory", self.stored);
        let refusals = "Records that the ledger did not take since the start";
        counter(registry, "ledger_refusals", refusals, self.refused);
        gauge(registry, "ledger_unsigned_records", "Records behind the last checkpoint", self.unsigned);
        let index = &self.index;
        gauge(registry, "index_lag_records", "Records that the index does not have yet", index.lag_records);
        gauge(registry, "index_lag_seconds", "For how long the index has been behind", index.lag_seconds);
        let failing = "Whether the index cannot be written just now: 1 or 0";
        gauge(registry, "index_failing", failing, index.failing.into());
    }
}

fn counter(registry: &mut Registry, name: &str, help: &str, value: u64) {
    let counter: Counter = Counter::default();
    counter.inc_by(value);
    registry.register(name, help, counter);
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: u64) {
    let gauge: Gauge = Gauge::default();
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
    registry.register(name, help, gauge);
}

/// The page of the docs that tells of every metric, made from an exposition.
///
/// # Errors
/// If the exposition cannot be written.
pub fn metrics_page() -> Result<String, std::fmt::Error> {
    let mut page = String::from(
        "# Metrics\n\nWritten by a test of the console from what `/metrics` says.\n\n\
         `GET /metrics` answers in the OpenMetrics text format to a key with the audience `admin` of an auditor or administrator, \
         and to nobody else (401, 403):\n\n\
         ```yaml\nscrape_configs:\n  - job_name: bailiwick\n    authorization: { credentials_file: /etc/prometheus/bailiwick.key }\n    \
         static_configs: [{ targets: [\"127.0.0.1:7420\"] }]\n```\n\n\
         Labels have values from fixed lists; no metric names a server, tool, principal or team.\n\n\
         | metric | type | labels | |\n|---|---|---|---|\n",
    );
    let text = Now::default().exposition()?;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) else {
            continue;
        };
        let kind = lines.next().and_then(|line| line.rsplit(' ').next()).unwrap_or_default();
        let sample = lines.peek().copied().unwrap_or_default();
        let labels = sample
            .split_once('{')
            .and_then(|(_, rest)| rest.split_once('}'))
            .map_or("", |(labels, _)| labels);
        let labels: Vec<_> =
            labels.split(',').filter_map(|label| label.split_once('=')).map(|(name, _)| name).collect();
        let suffix = match kind {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        page.push_str(&format!(
            "| `{name}{suffix}` | {kind} | {} | {} |\n",
            labels.join(", "),
            help.trim_end_matches('.')
        ));
    }
    Ok(page)
}
