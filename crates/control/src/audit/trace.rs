//! The workflow of an agent: the calls of a session or trace as a tree.
//!
//! A call stands under the one that led to it: the one that its caller named (`parent_call`), else the one whose span
//! is its parent span. Whatever names none stands beside the others, in the order of time.

use std::collections::{HashMap, HashSet};

use bailiwick_model::CallId;
use bailiwick_store::{IndexFilter, IndexedRecord, Thread};

use super::calls::is_visible;
use crate::{Actor, Control, ControlError};

/// Most records of a tree.
const RECORDS: u16 = 2_000;

/// Records of one call that are looked at to find what it belongs to: others than its intent may name it.
const OF_ONE_CALL: u16 = 10;

/// Traces of a session that are followed to what its calls led to.
const TRACES: usize = 20;

/// Deepest branch; what is deeper stands at this depth.
const DEPTH: u16 = 32;

/// Calls that belong together, as a tree.
#[derive(Debug, Clone)]
pub struct CallTree {
    /// By what they belong together: `trace`, `session` or `call`.
    pub by: &'static str,
    /// The trace, session or call.
    pub id: String,
    /// Parents before their children, which are one deeper; those beside each other in the order of time.
    pub branches: Vec<Branch>,
    /// Whether there are more records than a tree may have; these are the first.
    pub truncated: bool,
}

/// A record in its place.
#[derive(Debug, Clone)]
pub struct Branch {
    /// How many records stand above it.
    pub depth: u16,
    /// The record.
    pub record: IndexedRecord,
}

impl Control {
    /// The tree of a trace, of a session, or of whatever a call belongs to.
    ///
    /// # Errors
    /// [`ControlError::NotFound`] if there is nothing of this id that the actor may see.
    pub async fn audit_trace(&self, actor: &Actor, id: &str) -> Result<CallTree, ControlError> {
        actor.may_read()?;
        let not_found = || ControlError::not_found("trace, session or call", id);
        let (by, id_of, mut records) = match id.parse::<CallId>() {
            Ok(call) => self.around(call).await?,
            Err(_) => {
                let trace = self.thread(&Thread::Trace(id.to_ascii_lowercase())).await?;
                if trace.is_empty() {
                    ("session", id.to_owned(), self.session(id).await?)
                } else {
                    ("trace", id.to_ascii_lowercase(), trace)
                }
            }
        };
        let truncated = records.len() > usize::from(RECORDS);
        records.truncate(RECORDS.into());
        records.retain(|record| is_visible(actor, record));
        if records.is_empty() {
            return Err(not_found());
        }
        Ok(CallTree { by, id: id_of, branches: tree(records), truncated })
    }

    /// What a call belongs to: the trace that its caller named; else its session; else its own trace, with the calls
    /// that it led to; else nothing but itself.
    async fn around(&self, call: CallId) -> Result<(&'static str, String, Vec<IndexedRecord>), ControlError> {
        let filter = IndexFilter { call: Some(call), ..IndexFilter::default() };
        let found = self.parts().index.find(&filter, None, OF_ONE_CALL).await?.records;
        let session = found.iter().find_map(|record| record.session.clone());
        let own = session.is_some() && found.iter().all(|record| record.parent_span.is_none());
        if let Some(trace) = found.iter().find_map(|record| record.trace.clone()).filter(|_| !own) {
            let records = self.thread(&Thread::Trace(trace.clone())).await?;
            return Ok(("trace", trace, records));
        }
        if let Some(session) = session {
            let records = self.session(&session).await?;
            return Ok(("session", session, records));
        }
        let oldest_first = found.into_iter().rev().collect();
        Ok(("call", call.to_string(), oldest_first))
    }

    /// The records of a session, and those of other sessions to which its calls led.
    async fn session(&self, id: &str) -> Result<Vec<IndexedRecord>, ControlError> {
        let mut records = self.thread(&Thread::Session(id.to_owned())).await?;
        let mut traces: Vec<_> = records.iter().filter_map(|record| record.trace.clone()).collect();
        traces.sort_unstable();
        traces.dedup();
        for trace in traces.into_iter().take(TRACES) {
            let others = self.thread(&Thread::Trace(trace)).await?;
            records.extend(others.into_iter().filter(|record| record.session.as_deref() != Some(id)));
        }
        records.sort_by_key(|record| (record.at, record.index));
        Ok(descended(records, id))
    }

    async fn thread(&self, thread: &Thread) -> Result<Vec<IndexedRecord>, ControlError> {
        Ok(self.parts().index.thread(thread, RECORDS + 1).await?)
    }
}

/// Of records in the order of time those of a session, and those beneath them.
fn descended(records: Vec<IndexedRecord>, session: &str) -> Vec<IndexedRecord> {
    let parents = parents(&records);
    let mut kept = HashSet::new();
    for (at, (record, parent)) in records.iter().zip(parents).enumerate() {
        if record.session.as_deref() == Some(session) || parent.is_some_and(|parent| kept.contains(&parent)) {
            kept.insert(at);
        }
    }
    records.into_iter().enumerate().filter(|(at, _)| kept.contains(at)).map(|(_, record)| record).collect()
}

/// Puts records, which are in the order of time, into the order of a tree, each with the call that it stands under.
fn tree(mut records: Vec<IndexedRecord>) -> Vec<Branch> {
    let parents = parents(&records);
    let calls: Vec<_> = records.iter().map(|record| record.call).collect();
    for (record, parent) in records.iter_mut().zip(&parents) {
        record.parent_call = record.parent_call.or_else(|| calls.get((*parent)?).copied().flatten());
    }
    let mut children: HashMap<Option<usize>, Vec<usize>> = HashMap::new();
    for (at, parent) in parents.iter().enumerate() {
        children.entry(*parent).or_default().push(at);
    }
    let mut records: Vec<Option<IndexedRecord>> = records.into_iter().map(Some).collect();
    let mut open: Vec<(usize, u16)> = Vec::new();
    let beneath = |parent: Option<usize>, depth: u16, open: &mut Vec<(usize, u16)>| {
        let below = children.get(&parent).into_iter().flatten();
        open.extend(below.rev().map(|at| (*at, depth)));
    };
    beneath(None, 0, &mut open);
    let mut branches = Vec::with_capacity(records.len());
    while let Some((at, depth)) = open.pop() {
        if let Some(record) = records.get_mut(at).and_then(Option::take) {
            branches.push(Branch { depth, record });
        }
        beneath(Some(at), (depth + 1).min(DEPTH), &mut open);
    }
    branches
}

/// The place of each record's parent.
///
/// INVARIANT: a parent is earlier than its child. What agents tell of each other could else be a circle.
fn parents(records: &[IndexedRecord]) -> Vec<Option<usize>> {
    let (mut calls, mut spans) = (HashMap::new(), HashMap::new());
    let mut parents = Vec::with_capacity(records.len());
    for (at, record) in records.iter().enumerate() {
        let by_call = record.parent_call.and_then(|call| calls.get(&call));
        let by_span = || record.parent_span.as_ref().and_then(|span| spans.get(span));
        parents.push(by_call.or_else(by_span).copied());
        if let Some(call) = record.call {
            calls.entry(call).or_insert(at);
        }
        if let Some(span) = record.span.clone() {
            spans.entry(span).or_insert(at);
        }
    }
    parents
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(n: u64) -> IndexedRecord {
        IndexedRecord { index: n, call: Some(CallId::from_bits(n.into())), ..IndexedRecord::default() }
    }

    fn under(n: u64, parent: u64) -> IndexedRecord {
        IndexedRecord { parent_call: Some(CallId::from_bits(parent.into())), ..record(n) }
    }

    fn spans(n: u64, span: &str, parent: &str) -> IndexedRecord {
        IndexedRecord { span: Some(span.into()), parent_span: Some(parent.into()), ..record(n) }
    }

    fn drawn(records: Vec<IndexedRecord>) -> Vec<(u16, u64)> {
        tree(records).into_iter().map(|branch| (branch.depth, branch.record.index)).collect()
    }

    #[test]
    fn calls_stand_under_the_one_that_led_to_them() {
        let records = vec![record(1), record(2), under(3, 1), under(4, 3), under(5, 1), record(6)];
        assert_eq!(drawn(records), [(0, 1), (1, 3), (2, 4), (1, 5), (0, 2), (0, 6)]);
    }

    #[test]
    fn spans_lead_where_no_call_is_named() {
        let both = IndexedRecord { parent_call: Some(CallId::from_bits(1)), ..spans(3, "c", "b") };
        let records = vec![spans(1, "a", "0"), spans(2, "b", "a"), both, spans(4, "d", "b")];
        assert_eq!(drawn(records), [(0, 1), (1, 2), (2, 4), (1, 3)]);
    }

    #[test]
    fn a_branch_names_the_call_that_it_stands_under() {
        let branches = tree(vec![spans(1, "a", "0"), spans(2, "b", "a"), under(3, 2)]);
        let named: Vec<_> = branches.iter().map(|b| b.record.parent_call.map(CallId::to_bits)).collect();
        assert_eq!(named, [None, Some(1), Some(2)]);
    }

    #[test]
    fn a_session_has_what_its_calls_led_to_and_nothing_else_of_their_trace() {
        let inside = |n, span, parent| IndexedRecord { session: Some("s".into()), ..spans(n, span, parent) };
        let others = IndexedRecord { session: Some("t".into()), ..spans(4, "d", "c") };
        let records =
            vec![spans(1, "a", "0"), inside(2, "b", "a"), spans(3, "c", "b"), others, spans(5, "e", "a")];
        let kept: Vec<_> = descended(records, "s").iter().map(|record| record.index).collect();
        assert_eq!(kept, [2, 3, 4]);
    }

    #[test]
    fn no_circle_and_no_depth_loses_a_record() {
        let circle = vec![under(1, 2), under(2, 1), under(3, 3), under(4, 77)];
        assert_eq!(drawn(circle), [(0, 1), (1, 2), (0, 3), (0, 4)]);
        let same_span = vec![spans(1, "a", "a"), spans(2, "a", "a"), spans(3, "a", "a")];
        assert_eq!(drawn(same_span), [(0, 1), (1, 2), (1, 3)]);
        let chain: Vec<_> = (1..=2_000).map(|n| under(n, n - 1)).collect();
        let drawn = drawn(chain);
        assert_eq!(drawn.len(), 2_000);
        assert_eq!(drawn.last(), Some(&(DEPTH, 2_000)));
    }
}
