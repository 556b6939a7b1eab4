//! `bailiwick audit trace`: draws the calls of a trace or session as a tree.

use bailiwick_console::wire::{BranchView, CallTreeView, CallView};

use super::super::clean::clean;
use super::super::client::{Client, segment};
use super::super::failure::Failure;
use super::super::output::Output;
use super::query::{duration, result, took, what};

pub(super) async fn run(client: &Client, id: &str, output: &Output) -> Result<(), Failure> {
    output.show(client.get(&format!("/audit/trace/{}", segment(id))).await?, |tree: CallTreeView| draw(&tree))
}

/// The whole tree: what it is, then one line per record, every text cleaned.
fn draw(tree: &CallTreeView) -> String {
    let branches = &tree.branches;
    let denied = branches.iter().filter(|branch| is_denied(&branch.record)).count();
    let mut text = format!("{} {}: {} records, {denied} denied", tree.by, clean(&tree.id), branches.len());
    if let Some(whole) = whole(branches) {
        text.push_str(&format!(", {whole}"));
    }
    text.push('\n');
    // Whether something further comes on each level above.
    let mut open: Vec<bool> = Vec::new();
    let mut before: Option<&CallView> = None;
    for (at, branch) in branches.iter().enumerate() {
        let depth = usize::from(branch.depth).min(open.len());
        open.truncate(depth);
        let last = is_last(branches, at);
        for more in &open {
            text.push_str(if *more { "│  " } else { "   " });
        }
        text.push_str(if last { "└─ " } else { "├─ " });
        text.push_str(&line(&branch.record, before));
        text.push('\n');
        open.push(!last);
        before = Some(&branch.record);
    }
    if tree.truncated {
        text.push_str("… and more, which a tree does not hold: narrow it down with `audit query`\n");
    }
    text
}

/// Whether nothing of this depth follows beneath the same parent.
fn is_last(branches: &[BranchView], at: usize) -> bool {
    let depth = branches.get(at).map_or(0, |branch| branch.depth);
    let mut later = branches.iter().skip(at + 1);
    later.find(|branch| branch.depth <= depth).is_none_or(|next| next.depth < depth)
}

/// One record. Who it was is said where it is another than in the line before.
fn line(record: &CallView, before: Option<&CallView>) -> String {
    let mut parts = Vec::new();
    let who = |record: &CallView| (record.subject.clone(), record.client.clone());
    if before.map(who) != Some(who(record)) {
        let client = record.client.as_ref().map(|client| format!(" ({client})")).unwrap_or_default();
        parts.push(format!("{}{client}:", record.subject.as_deref().unwrap_or("-")));
    }
    parts.push(what(record));
    parts.push(if is_denied(record) { format!("✗ {}", result(record)) } else { result(record) });
    parts.extend(took(record));
    parts.extend(record.call.clone());
    clean(&parts.join("  "))
}

fn is_denied(record: &CallView) -> bool {
    record.decision.as_deref() == Some("deny")
}

/// From the first record to the end of the last.
fn whole(branches: &[BranchView]) -> Option<String> {
    let moment = |text: &str| text.parse::<bailiwick_model::Timestamp>().ok();
    let records = branches.iter().map(|branch| &branch.record);
    let first = records.clone().filter_map(|record| moment(&record.time)).min()?;
    let ends = records.filter_map(|record| {
        let took = record.ending.as_ref().and_then(|ending| ending.total_us).unwrap_or_default();
        Some(moment(&record.time)?.saturating_add(std::time::Duration::from_micros(took)))
    });
    let whole = ends.max()?.saturating_since(first);
    Some(duration(u64::try_from(whole.as_micros()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use bailiwick_console::wire::EndingView;

    use super::*;

    fn branch(depth: u16, who: &str, tool: &str) -> BranchView {
        let ending = EndingView { status: "ok".into(), total_us: Some(1_500), ..EndingView::default() };
        let record = CallView {
            time: format!("2026-07-28T12:00:00.00{depth}000Z"),
            kind: "intent".into(),
            subject: Some(who.into()),
            server_name: Some("files".into()),
            definition: Some(tool.into()),
            method: Some("tools/call".into()),
            ending: Some(ending),
            ..CallView::default()
        };
        BranchView { depth, record }
    }

    #[test]
    fn a_tree_is_drawn_with_what_was_denied_and_nothing_that_a_terminal_obeys() {
        let mut denied = branch(2, "bot\u{1b}[2J", "rm\r\n\u{202e}");
        denied.record.decision = Some("deny".into());
        denied.record.reason = Some("policy_denied".into());
        denied.record.ending = None;
        let tree = CallTreeView {
            by: "trace".into(),
            id: "4bf92f3577b34da6a3ce929d0e0e4736".into(),
            branches: vec![
                branch(0, "alice", "plan"),
                branch(1, "bot", "read"),
                denied,
                branch(1, "bot", "write"),
                branch(0, "alice", "report"),
            ],
            truncated: true,
        };
        insta::assert_snapshot!(draw(&tree));
    }
}
