//! `bailiwick audit prune`: has the gateway remove the oldest segments of its ledger that are in the archive.

use bailiwick_console::wire::{PruneSegments, PruneView};
use bailiwick_model::Timestamp;
use clap::Args;

use super::super::client::Client;
use super::super::failure::Failure;
use super::super::output::Output;
use super::export::moment;

/// Which segments.
#[derive(Debug, Args)]
pub struct Prune {
    /// Segments whose records are all older than this, a date (UTC) or an RFC 3339 time; none goes before the settings
    /// let it, if they say something [default: those that the settings let go].
    #[arg(long, value_name = "TIME", value_parser = moment)]
    before: Option<Timestamp>,
    /// Only say which.
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(client: &Client, args: &Prune, output: &Output) -> Result<(), Failure> {
    let wanted = PruneSegments { before: args.before, dry_run: args.dry_run };
    let mut all: Option<PruneView> = None;
    loop {
        let answer = client.post("/audit/prune", &wanted).await?;
        let part: PruneView = serde_json::from_value(answer)
            .map_err(|_| Failure::other("the gateway's answer is not understood"))?;
        let more = part.more;
        all = Some(match all {
            None => part,
            Some(before) if part.segments == 0 => PruneView { more, held: part.held, ..before },
            Some(before) => PruneView {
                segments: before.segments + part.segments,
                first: before.first,
                bytes: before.bytes + part.bytes,
                ..part
            },
        });
        if !more {
            break;
        }
    }
    let Some(all) = all else { return Ok(()) };
    if output.is_json() { output.json(&all) } else { output.line(&told(&all, args.dry_run)) }
}

fn told(pruned: &PruneView, dry_run: bool) -> String {
    let mut text = if pruned.segments == 0 {
        "no segment can go\n".to_owned()
    } else {
        let verb = if dry_run { "would go" } else { "are gone from here" };
        let last = pruned.next.saturating_sub(1);
        format!(
            "records {} to {last} {verb}: {} segments, {} bytes; they are in {}\n",
            pruned.first, pruned.segments, pruned.bytes, pruned.archive
        )
    };
    if let Some(held) = &pruned.held {
        text.push_str(held);
        text.push('\n');
    }
    text
}
