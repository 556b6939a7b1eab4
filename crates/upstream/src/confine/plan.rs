//! What the helper is told: on its command line, so without secrets. Those are in the environment only.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Report;

/// How a program is started.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// The program, an absolute path.
    pub command: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its working directory; a private empty one if none.
    pub cwd: Option<PathBuf>,
    /// A private folder of the gateway's for this child: mount point, and working directory where the child gets no
    /// file system of its own.
    pub scratch: PathBuf,
    /// What it may read beside the system's folders.
    pub read: Vec<PathBuf>,
    /// What it may write.
    pub write: Vec<PathBuf>,
    /// Whether it may use the network.
    pub network: bool,
    /// Whether namespaces are tried. Where they can be made but not be used (some containers), they are not.
    pub namespaces: bool,
    /// The uid to take if the gateway is root.
    pub uid: u32,
    /// Most memory of a process, in bytes; none is unlimited.
    pub memory_bytes: Option<u64>,
    /// Most processes and threads; none is unlimited.
    pub processes: Option<u64>,
    /// How strictly.
    pub mode: Mode,
    /// What the stages before found to hold.
    pub report: Report,
}

/// How strictly a program is confined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// As far as the machine allows.
    Auto,
    /// Fully, or it does not start.
    Require,
    /// Not at all; only its end is tied to the gateway's.
    Off,
}

/// The stages of the helper, see [`super`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Watch,
    Init,
    Run,
}

impl Stage {
    const ALL: [Self; 3] = [Self::Watch, Self::Init, Self::Run];

    fn name(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::Init => "init",
            Self::Run => "run",
        }
    }
}

/// The helper's arguments.
pub(super) struct StageArgs {
    pub(super) stage: Stage,
    pub(super) plan: Plan,
}

impl StageArgs {
    pub(super) fn parse(mut args: impl Iterator<Item = OsString>) -> io::Result<Self> {
        let mut next = || args.next().and_then(|arg| arg.into_string().ok()).unwrap_or_default();
        let name = next();
        let stage = Stage::ALL.into_iter().find(|stage| stage.name() == name);
        let stage = stage.ok_or_else(|| io::Error::other("the helper was called without a stage"))?;
        Ok(Self { stage, plan: serde_json::from_str(&next())? })
    }
}

/// The helper's arguments for a stage.
pub(super) fn arguments(stage: Stage, plan: &Plan) -> io::Result<[String; 3]> {
    Ok([super::ARGUMENT.to_owned(), stage.name().to_owned(), serde_json::to_string(plan)?])
}

impl Plan {
    /// The arguments with which the gateway starts the helper.
    ///
    /// # Errors
    /// If a path is not UTF-8.
    pub fn arguments(&self) -> io::Result<[String; 3]> {
        arguments(Stage::Watch, self)
    }
}
