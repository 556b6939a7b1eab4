//! `bailiwick audit reindex`: has the gateway make the index anew, and waits for it.

use std::time::Duration;

use bailiwick_console::wire::{AuditStatus, IndexView};
use serde_json::json;

use super::super::client::Client;
use super::super::failure::Failure;
use super::super::output::Output;

/// How often the gateway is asked how far it is.
const PACE: Duration = Duration::from_millis(500);

/// Between two words on how far it is.
const TELL: u32 = 10;

pub(super) async fn run(client: &Client, no_wait: bool, output: &Output) -> Result<(), Failure> {
    client.post("/audit/reindex", &json!({})).await?;
    if no_wait {
        return output.done("the index is being made anew; `bailiwick audit status` says how far it is");
    }
    let mut asked = 0;
    loop {
        tokio::time::sleep(PACE).await;
        let index = state(client).await?;
        if !index.rebuilding {
            return output.done(&format!("the index was made anew: {} records", index.records));
        }
        asked += 1;
        if asked % TELL == 0 && !output.is_json() {
            let all = index.records.saturating_add(index.lag_records);
            output.note(&format!("{} of {all} records", index.records));
        }
    }
}

async fn state(client: &Client) -> Result<IndexView, Failure> {
    let status: AuditStatus = serde_json::from_value(client.get("/audit/status").await?)
        .map_err(|_| Failure::other("the gateway's answer is not understood"))?;
    Ok(status.index)
}
