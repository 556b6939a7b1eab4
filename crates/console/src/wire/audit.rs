//! The ledger in answers.

use bailiwick_control::{
    ArchiveState, AuditTail, ControlError, IndexState, PruneOutcome, Report, Status, WitnessStatus,
};
use bailiwick_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{IndexView, RestoredView};

/// Which records are wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// `next` of the answer before: what stands behind it. The last records if absent.
    pub after: Option<u64>,
    /// How many records at most, 1 to 1000; 100 if absent.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
}

/// Records of the ledger.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AuditRecords {
    /// The records as they stand in the ledger, oldest first.
    #[schema(value_type = Vec<Object>)]
    pub records: Vec<serde_json::Value>,
    /// To be given as `after` for what comes next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// How the ledger of this node is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AuditStatus {
    /// Whether it takes records now; if not, no call is admitted.
    pub available: bool,
    /// How many records there are.
    pub records: u64,
    /// The root of the Merkle tree over them, hexadecimal.
    pub root: String,
    /// The index of the first record that is on this node: those before it were pruned.
    #[serde(default)]
    pub pruned: u64,
    /// How many segment files there are.
    pub segments: usize,
    /// Their length together, in bytes.
    pub bytes: u64,
    /// Calls that have an intent and no outcome yet.
    pub open_calls: usize,
    /// How many records the last signed checkpoint tells of.
    pub checkpoint_size: u64,
    /// How the places are that are told of each checkpoint.
    #[serde(default)]
    pub witnesses: Vec<AuditWitness>,
    /// The archive of closed segments, if the settings name one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<ArchiveView>,
    /// The index by which records are found.
    #[serde(default)]
    pub index: IndexView,
    /// What is known of the backup that this gateway was restored from, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<RestoredView>,
}

/// How a place is that is told of each checkpoint.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AuditWitness {
    /// `file`, `webhook` or `syslog`.
    pub kind: String,
    /// Which one; of a URL only its origin.
    pub place: String,
    /// How many records the last checkpoint tells of that it took.
    pub delivered: u64,
    /// How many records it was not told of yet.
    pub lag: u64,
    /// How many deliveries failed since the start.
    pub failures: u64,
    /// Why the last delivery failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How the archive of closed segments is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ArchiveView {
    /// Where it is, without secrets.
    pub place: String,
    /// All records before this index are in it.
    pub records: u64,
    /// So many closed segments are not in it yet.
    pub waiting: usize,
    /// Whether it is being looked at just now.
    pub working: bool,
    /// How often it could not be written or read since the start.
    pub failures: u64,
    /// Why it could not the last time, if it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Which segments are to be pruned.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PruneSegments {
    /// Those whose last record is older than this, as far as the settings let them go; those that the settings say if
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub before: Option<Timestamp>,
    /// Only say which.
    #[serde(default)]
    pub dry_run: bool,
}

/// What was pruned, or would be.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PruneView {
    /// How many segments.
    pub segments: usize,
    /// The index of their first record.
    pub first: u64,
    /// The index behind their last.
    pub next: u64,
    /// The length of their records, in bytes.
    pub bytes: u64,
    /// Where they are, without secrets.
    pub archive: String,
    /// Whether more may go the same way: ask again.
    pub more: bool,
    /// Why not more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
}

impl From<ArchiveState> for ArchiveView {
    fn from(from: ArchiveState) -> Self {
        let ArchiveState { place, records, waiting, working, failures, error } = from;
        Self { place, records, waiting, working, failures, error }
    }
}

impl From<PruneOutcome> for PruneView {
    fn from(from: PruneOutcome) -> Self {
        let PruneOutcome { segments, first, next, bytes, archive, more, held } = from;
        Self { segments, first, next, bytes, archive, more, held }
    }
}

/// What a check of the whole ledger found.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AuditReport {
    /// Whether everything is as it was written.
    pub intact: bool,
    /// Records read.
    pub records: u64,
    /// How many records the last checkpoint tells of; those behind it are linked but not signed yet.
    pub signed: u64,
    /// The root of the Merkle tree over the records, hexadecimal.
    pub root: String,
    /// Intents without outcome: calls under way, or cut off by the end of the process.
    pub open_calls: usize,
    /// The first thing that is wrong, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

impl TryFrom<AuditTail> for AuditRecords {
    type Error = ControlError;

    fn try_from(from: AuditTail) -> Result<Self, ControlError> {
        let read = |line: &String| serde_json::from_str(line);
        let records: Result<Vec<_>, _> = from.lines.iter().map(read).collect();
        let records = records.map_err(|error| ControlError::Internal(error.into()))?;
        Ok(Self { records, next: from.last })
    }
}

impl From<(Status, IndexState)> for AuditStatus {
    fn from((from, index): (Status, IndexState)) -> Self {
        Self {
            available: from.available,
            records: from.next_index,
            root: from.root.to_string(),
            pruned: from.pruned,
            archive: None,
            segments: from.segments,
            bytes: from.bytes,
            open_calls: from.open_calls,
            checkpoint_size: from.checkpoint_size,
            witnesses: from.witnesses.into_iter().map(|one| witness(one, from.checkpoint_size)).collect(),
            index: index.into(),
            restored: None,
        }
    }
}

fn witness(from: WitnessStatus, signed: u64) -> AuditWitness {
    AuditWitness {
        kind: from.kind.to_owned(),
        place: from.place,
        delivered: from.delivered,
        lag: signed.saturating_sub(from.delivered),
        failures: from.failures,
        error: from.error,
    }
}

impl From<Report> for AuditReport {
    fn from(from: Report) -> Self {
        Self {
            intact: from.bad.is_none(),
            records: from.records,
            signed: from.signed,
            root: from.root.to_string(),
            open_calls: from.open_calls,
            fault: from.bad.map(|bad| format!("record {}: {}", bad.index, bad.what)),
        }
    }
}
