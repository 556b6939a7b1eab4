//! Starting a child: which program, with what environment, under which plan of confinement.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

use bailiwick_config::Confine;
use bailiwick_model::server::{Confinement, Transport, Value};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::install::Program;
use crate::UpstreamError;
use crate::confine::{Mode, Plan, Report};
use crate::upstream::Shared;

/// Uids of children, where the gateway is root: away from those of people, packages and containers.
const FIRST_UID: u32 = 1_900_000_000;
const UIDS: u32 = 10_000_000;

/// Counts children, for their uids and scratch folders. One gateway has one data folder, so one count is enough.
static STARTED: AtomicU32 = AtomicU32::new(0);

/// A started child.
pub(super) struct Running {
    pub(super) process: Child,
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
    pub(super) stderr: ChildStderr,
    pub(super) scratch: PathBuf,
}

/// Starts the helper with the server's program.
pub(super) fn start(shared: &Shared, program: Program) -> Result<Running, UpstreamError> {
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    let plan = plan(shared, program, number)?;
    make_scratch(&plan).map_err(|error| failed(shared, &error))?;
    let started = spawn(shared, &plan);
    if started.is_err() {
        remove_scratch(&plan.scratch);
    }
    started.map_err(|error| failed(shared, &error))
}

fn failed(shared: &Shared, error: &std::io::Error) -> UpstreamError {
    tracing::warn!(server = shared.name(), %error, "a child was not started");
    UpstreamError::Unreachable("its program cannot be started")
}

fn spawn(shared: &Shared, plan: &Plan) -> std::io::Result<Running> {
    let Transport::Stdio { env, .. } = &shared.spec.server.transport else {
        return Err(std::io::Error::other("no stdio server"));
    };
    let settings = &shared.parts.settings;
    // INVARIANT: argv, never a shell; nothing of the gateway's own environment.
    let mut process = Command::new(&settings.helper)
        .args(plan.arguments()?)
        .env_clear()
        .env("PATH", &settings.path)
        .env("LANG", "C.UTF-8")
        .envs(shared.spec.values(env))
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let lost = || std::io::Error::other("a pipe is missing");
    Ok(Running {
        stdin: process.stdin.take().ok_or_else(lost)?,
        stdout: process.stdout.take().ok_or_else(lost)?,
        stderr: process.stderr.take().ok_or_else(lost)?,
        process,
        scratch: plan.scratch.clone(),
    })
}

/// The program as registered; none of it is checked to exist for packages, which are installed first.
pub(super) fn program(shared: &Shared) -> Result<Program, UpstreamError> {
    let Transport::Stdio { command, args, env, .. } = &shared.spec.server.transport else {
        return Err(UpstreamError::Request("the server is no child process"));
    };
    let path = match env.get("PATH") {
        Some(Value::Plain { value }) => value,
        _ => &shared.parts.settings.path,
    };
    let command = find(command, path).ok_or(UpstreamError::Unreachable("its program is not installed"))?;
    Ok(Program { command, args: args.clone(), read: Vec::new() })
}

/// Whether the server's command and environment are such as may be started at all.
pub(super) fn check(shared: &Shared) -> Result<(), UpstreamError> {
    let Transport::Stdio { command, env, .. } = &shared.spec.server.transport else {
        return Err(UpstreamError::Request("the server is no child process"));
    };
    let allowed = &shared.parts.settings.upstream.children.allowed_commands;
    if !allowed.is_empty() && !allowed.contains(command) {
        return Err(UpstreamError::Unreachable("its command is not among those that may be started"));
    }
    // These would change the helper itself, which still has the gateway's rights.
    if env.keys().any(|name| name.starts_with("LD_") || name == "GLIBC_TUNABLES") {
        return Err(UpstreamError::Unreachable("its environment has a variable of the dynamic linker"));
    }
    Ok(())
}

fn plan(shared: &Shared, program: Program, number: u32) -> Result<Plan, UpstreamError> {
    let Transport::Stdio { cwd, confinement, .. } = &shared.spec.server.transport else {
        return Err(UpstreamError::Request("the server is no child process"));
    };
    let children = &shared.parts.settings.upstream.children;
    let memory = confinement.memory_mb.map(|mb| mb.saturating_mul(1 << 20)).or(children.memory_bytes);
    let cwd = cwd.as_ref().map(PathBuf::from);
    let mut read = granted(confinement, cwd.as_ref());
    read.extend(program.read);
    Ok(Plan {
        command: program.command,
        args: program.args,
        scratch: shared.parts.settings.scratch.join(format!("child-{}-{number}", std::process::id())),
        read,
        write: confinement.write.iter().map(PathBuf::from).collect(),
        cwd,
        network: confinement.network,
        namespaces: !shared.without_namespaces.load(Ordering::Relaxed),
        uid: FIRST_UID + number % UIDS,
        memory_bytes: memory,
        processes: children.processes,
        mode: mode(children.confine),
        report: Report::default(),
    })
}

fn mode(confine: Confine) -> Mode {
    match confine {
        Confine::Auto => Mode::Auto,
        Confine::Require => Mode::Require,
        Confine::Off => Mode::Off,
    }
}

/// What it may read; a working directory that was declared is part of that.
fn granted(confinement: &Confinement, cwd: Option<&PathBuf>) -> Vec<PathBuf> {
    let written = |folder: &PathBuf| confinement.write.iter().any(|written| folder.starts_with(written));
    let cwd = cwd.filter(|cwd| !written(cwd)).cloned();
    confinement.read.iter().map(PathBuf::from).chain(cwd).collect()
}

/// The program, as a shell would find it.
pub(super) fn find(command: &str, path: &str) -> Option<PathBuf> {
    if command.contains('/') {
        return Some(PathBuf::from(command)).filter(|path| path.is_absolute() && path.is_file());
    }
    let mut folders = path.split(':').map(Path::new).filter(|folder| folder.is_absolute());
    folders.find_map(|folder| Some(folder.join(command)).filter(|program| program.is_file()))
}

/// A private empty folder. The helper gives it to the program if that gets a uid of its own.
fn make_scratch(plan: &Plan) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(&plan.scratch)?;
    std::fs::set_permissions(&plan.scratch, std::fs::Permissions::from_mode(0o700))
}

/// Removes it; what cannot be removed is only left behind, in the gateway's own folder.
pub(super) fn remove_scratch(scratch: &Path) {
    if let Err(error) = std::fs::remove_dir_all(scratch) {
        tracing::debug!(%error, "a child's scratch folder was left behind");
    }
}
