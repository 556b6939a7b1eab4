//! `bailiwick audit archive`: has the gateway copy closed segments to the archive, and waits for it.

use std::time::Duration;

use bailiwick_console::wire::{ArchiveView, AuditStatus};
use serde_json::json;

use super::super::client::Client;
use super::super::failure::Failure;
use super::super::output::Output;

/// How often the gateway is asked how far it is.
const PACE: Duration = Duration::from_millis(500);

/// Between two words on how far it is.
const TELL: u32 = 10;

pub(super) async fn run(client: &Client, no_wait: bool, output: &Output) -> Result<(), Failure> {
    client.post("/audit/archive", &json!({})).await?;
    if no_wait {
        return output.done("segments are being archived; `bailiwick audit status` says how far it is");
    }
    let mut asked = 0;
    loop {
        tokio::time::sleep(PACE).await;
        let archive = state(client).await?;
        if let Some(error) = archive.error {
            return Err(Failure::other(format!("{}: {error}", archive.place))
                .hint("the gateway tries again by itself"));
        }
        if !archive.working {
            let said = format!(
                "all closed segments are in {}: the records before {}",
                archive.place, archive.records
            );
            return output.done(&said);
        }
        asked += 1;
        if asked % TELL == 0 && !output.is_json() {
            output.note(&format!("{} segments to go", archive.waiting));
        }
    }
}

async fn state(client: &Client) -> Result<ArchiveView, Failure> {
    let status: AuditStatus = serde_json::from_value(client.get("/audit/status").await?)
        .map_err(|_| Failure::other("the gateway's answer is not understood"))?;
    status.archive.ok_or_else(|| Failure::other("the gateway has no archive"))
}
