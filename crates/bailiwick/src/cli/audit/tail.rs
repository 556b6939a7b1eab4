//! `bailiwick audit tail`: the last records of a running gateway, and those that come.

use std::time::Duration;

use bailiwick_console::wire::AuditRecords;
use serde_json::Value;

use crate::cli::clean::{clean, clean_json};
use crate::cli::client::Client;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::table::{moment, or_dash};

/// How often a followed ledger is asked for more.
const PACE: Duration = Duration::from_millis(500);

pub(super) async fn tail(client: &Client, count: u16, follow: bool, output: &Output) -> Result<(), Failure> {
    let mut path = format!("/audit/records?limit={count}");
    loop {
        let answer: AuditRecords = serde_json::from_value(client.get(&path).await?)
            .map_err(|_| Failure::other("the gateway's answer is not understood"))?;
        for record in &answer.records {
            print(record, output)?;
        }
        if !follow {
            return Ok(());
        }
        if answer.records.is_empty() {
            tokio::time::sleep(PACE).await;
        }
        if let Some(next) = answer.next {
            path = format!("/audit/records?limit=1000&after={next}");
        }
    }
}

/// One line per record, so that a followed ledger can be piped on.
fn print(record: &Value, output: &Output) -> Result<(), Failure> {
    if output.is_json() {
        return output.line(&clean_json(&record.to_string()));
    }
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str).map(ToOwned::to_owned);
    let index = record.get("index").and_then(Value::as_u64).unwrap_or_default();
    let time = or_dash(text("/time").as_deref().map(moment));
    let kind = or_dash(text("/kind"));
    let about =
        ["/who/subject", "/what/method", "/operation", "/subject/name", "/subject/key", "/asked", "/object"];
    let rest = ["/status", "/reason", "/event", "/change", "/path", "/detail"];
    let words: Vec<String> = about.iter().chain(&rest).filter_map(|pointer| text(pointer)).collect();
    let call = text("/call").map(|call| format!("  {call}")).unwrap_or_default();
    output.line(&clean(&format!("{index:>8}  {time}  {kind:<12}  {}{call}", words.join(" "))))
}
