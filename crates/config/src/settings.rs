//! All sections together: what the binary loads once and hands out section by section.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::data::{Data, DataFile};
use crate::database::{Database, DatabaseFile};
use crate::egress::{Egress, EgressFile};
use crate::in_force::{self, InForce};
use crate::ledger::{Ledger, LedgerFile};
use crate::limits::{Limits, LimitsFile};
use crate::listen::{Listen, ListenFile};
use crate::log::{Log, LogFile};
use crate::merge::{Document, Source};
use crate::problem::{ConfigError, Problems};
use crate::upstream::{Upstream, UpstreamFile};

/// The settings of a Bailiwick gateway. Every key is optional.
#[derive(Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "bailiwick.toml")]
pub(crate) struct SettingsFile {
    listen: ListenFile,
    data: DataFile,
    database: DatabaseFile,
    ledger: LedgerFile,
    egress: EgressFile,
    limits: LimitsFile,
    upstream: UpstreamFile,
    log: LogFile,
}

/// The settings, checked. A room is handed its own section only.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the gateway is reached.
    pub listen: Listen,
    /// Where state lives.
    pub data: Data,
    /// Which database.
    pub database: Database,
    /// The audit ledger.
    pub ledger: Ledger,
    /// Outbound connections.
    pub egress: Egress,
    /// Bounds on requests, answers and load.
    pub limits: Limits,
    /// The servers behind.
    pub upstream: Upstream,
    /// Standard error.
    pub log: Log,
    /// All of them, key by key.
    pub in_force: InForce,
}

impl Settings {
    /// Reads the settings file's text (if there is one) under the environment's `BAILIWICK_SECTION__KEY`
    /// variables. `read` reads the files that hold secrets.
    ///
    /// # Errors
    /// Says everything that is wrong, each with its place in the file or the name of the variable.
    pub fn load(
        file: Option<Source>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        read: &dyn Fn(&Path) -> io::Result<String>,
    ) -> Result<Self, ConfigError> {
        let document = Document::new(file, environment)?;
        let table = document.merge()?;
        let file = document.read(table.clone())?;
        let mut problems = Problems::default();
        let in_force = in_force::of(&file).unwrap_or_else(|error| {
            problems.add("settings", format!("cannot be told to the ledger: {error}")).done();
            InForce::new()
        });
        let settings = Self {
            listen: file.listen.check(&mut problems),
            data: file.data.check(&mut problems),
            database: file.database.check(read, &mut problems),
            ledger: file.ledger.check(read, &mut problems),
            egress: file.egress.check(read, &mut problems),
            limits: file.limits.check(&mut problems),
            upstream: file.upstream.check(&mut problems),
            log: file.log.check(&mut problems),
            in_force,
        };
        if problems.is_empty() { Ok(settings) } else { Err(document.explain(problems, &table)) }
    }
}

impl Default for Settings {
    fn default() -> Self {
        let nothing = |_: &Path| Err(io::ErrorKind::NotFound.into());
        Self::load(None, [], &nothing).expect("the defaults are valid: a test loads them")
    }
}

#[cfg(test)]
mod tests;
