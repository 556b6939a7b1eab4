//! `[ledger]`: how strong and how long the audit ledger's segments are.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::archive::{self, Archive, ArchiveKeys, Retention, RetentionDays};
use crate::problem::{Problems, at_least};
use crate::secret::ReadFile;
use crate::witness::{self, Witness};

/// What a record must survive before its call goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// Written to the kernel: survives the end of the process, however it comes.
    Os,
    /// On disk (fdatasync, group-committed): survives loss of power.
    Disk,
}

/// The audit ledger.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LedgerFile {
    /// What a record must survive before its call goes on.
    durability: Durability,
    /// A segment file is closed at this size.
    segment_bytes: u64,
    /// A segment file is closed at this age.
    segment_seconds: u64,
    /// A signed checkpoint is made after so many records.
    checkpoint_records: u64,
    /// A signed checkpoint is made after so many seconds with new records.
    checkpoint_seconds: u64,
    /// A write that takes longer refuses calls with `audit_unavailable`.
    stall_ms: u64,
    /// A file outside the data directory to which each signed checkpoint is appended.
    witness_file: Option<PathBuf>,
    /// A URL to which each signed checkpoint is posted as JSON.
    witness_webhook: Option<String>,
    /// A syslog server that is sent each signed checkpoint: `udp://host:514`, or `unix:///dev/log`.
    witness_syslog: Option<String>,
    /// Where closed segments are copied to: an absolute path, or `s3://bucket/prefix`.
    archive: Option<String>,
    /// Where the bucket is reached, such as `https://s3.corp.example`; AWS if absent.
    archive_endpoint: Option<String>,
    /// The bucket's region; `us-east-1` if absent.
    archive_region: Option<String>,
    /// The id of the bucket's access key.
    archive_access_key: Option<String>,
    /// A file with it.
    archive_access_key_file: Option<PathBuf>,
    /// The access key's secret.
    archive_secret_key: Option<String>,
    /// A file with it.
    archive_secret_key_file: Option<PathBuf>,
    /// After so many days archived segments leave the data directory; never if absent.
    retention_days: Option<u32>,
    /// The same for segments that hold records of calls only.
    retention_calls_days: Option<u32>,
    /// The same for segments that hold other records too: changes, authentication that failed, drift, starts and stops.
    retention_administration_days: Option<u32>,
}

impl Default for LedgerFile {
    fn default() -> Self {
        Self {
            durability: Durability::Os,
            segment_bytes: 64 << 20,
            segment_seconds: 3600,
            checkpoint_records: 4096,
            checkpoint_seconds: 10,
            stall_ms: 2000,
            witness_file: None,
            witness_webhook: None,
            witness_syslog: None,
            archive: None,
            archive_endpoint: None,
            archive_region: None,
            archive_access_key: None,
            archive_access_key_file: None,
            archive_secret_key: None,
            archive_secret_key_file: None,
            retention_days: None,
            retention_calls_days: None,
            retention_administration_days: None,
        }
    }
}

/// The audit ledger's settings.
#[derive(Debug, Clone)]
pub struct Ledger {
    /// What a record must survive before its call goes on.
    pub durability: Durability,
    /// Size at which a segment is closed, in bytes.
    pub segment_bytes: u64,
    /// Age at which a segment is closed.
    pub segment_age: Duration,
    /// Records after which a checkpoint is made.
    pub checkpoint_records: u64,
    /// Time after which a checkpoint is made.
    pub checkpoint_every: Duration,
    /// How long a write may take before calls are refused.
    pub stall: Duration,
    /// Outside places that are told of each checkpoint.
    pub witness: Witness,
    /// Where closed segments are copied to.
    pub archive: Option<Archive>,
    /// How long they stay in the data directory.
    pub retention: Retention,
}

impl LedgerFile {
    pub(crate) fn check(self, read: ReadFile<'_>, problems: &mut Problems) -> Ledger {
        at_least(problems, "ledger.segment_bytes", self.segment_bytes, 1 << 20);
        at_least(problems, "ledger.segment_seconds", self.segment_seconds, 60);
        at_least(problems, "ledger.checkpoint_records", self.checkpoint_records, 1);
        at_least(problems, "ledger.checkpoint_seconds", self.checkpoint_seconds, 1);
        at_least(problems, "ledger.stall_ms", self.stall_ms, 10);
        let days = RetentionDays {
            all: self.retention_days,
            calls: self.retention_calls_days,
            administration: self.retention_administration_days,
        };
        let retention = archive::retention(days, self.archive.is_some(), problems);
        let keys = ArchiveKeys {
            place: self.archive,
            endpoint: self.archive_endpoint,
            region: self.archive_region,
            access_key: (self.archive_access_key, self.archive_access_key_file),
            secret_key: (self.archive_secret_key, self.archive_secret_key_file),
        };
        Ledger {
            archive: archive::archive(keys, read, problems),
            retention,
            durability: self.durability,
            segment_bytes: self.segment_bytes,
            segment_age: Duration::from_secs(self.segment_seconds),
            checkpoint_records: self.checkpoint_records,
            checkpoint_every: Duration::from_secs(self.checkpoint_seconds),
            stall: Duration::from_millis(self.stall_ms),
            witness: Witness {
                file: self.witness_file.map(|path| witness::file(path, problems)),
                webhook: self.witness_webhook.and_then(|text| witness::webhook(&text, problems)),
                syslog: self.witness_syslog.and_then(|text| witness::syslog(&text, problems)),
            },
        }
    }
}
