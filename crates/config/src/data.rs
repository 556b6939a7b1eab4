//! `[data]`: where state lives.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::problem::Problems;

/// Where the gateway keeps its state.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DataFile {
    /// The directory of the embedded database, the ledger and the keys. A relative path starts at the
    /// working directory.
    dir: PathBuf,
}

impl Default for DataFile {
    fn default() -> Self {
        Self { dir: "./bailiwick-data".into() }
    }
}

/// Where state lives.
#[derive(Debug, Clone)]
pub struct Data {
    /// The data directory; holds `bailiwick.db`, `ledger/` and `keys/`.
    pub dir: PathBuf,
}

impl DataFile {
    pub(crate) fn check(self, problems: &mut Problems) -> Data {
        if self.dir.as_os_str().is_empty() {
            problems
                .add("data.dir", "the data directory is empty")
                .help("write \".\" for the working directory");
        }
        Data { dir: self.dir }
    }
}
