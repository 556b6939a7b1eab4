//! Child processes: the one place that starts them, and the guard that ends them.
//!
//! Every child gets its own process group, so that its own children end with it, and ends when its guard is dropped, also
//! on Ctrl-C, which [`watch_signals`] turns into an error at the next wait. Used by every command here.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::clock::Deadline;

const POLL: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(10);

static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// From now on Ctrl-C and SIGTERM do not end this process but make [`interrupted`] true.
pub(crate) fn watch_signals() -> Result<()> {
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&INTERRUPTED))?;
    }
    Ok(())
}

/// Whether somebody wants this process to end.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Calls `ready` until it says yes; an error when the deadline passes or somebody wants to end.
pub(crate) fn poll(within: Duration, what: &str, mut ready: impl FnMut() -> Result<bool>) -> Result<()> {
    let deadline = Deadline::after(within);
    while !ready()? {
        if interrupted() {
            bail!("interrupted");
        }
        if deadline.passed() {
            bail!("{what}: not within {within:?}");
        }
        thread::sleep(POLL);
    }
    Ok(())
}

/// Whether a program is on the PATH.
pub(crate) fn exists(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// The PATH with a folder in front.
pub(crate) fn path_with(folder: &Path) -> Result<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    Ok(std::env::join_paths(folders)?)
}

/// A command to run.
pub(crate) struct Run {
    command: Command,
    shown: String,
}

impl Run {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let shown = program.as_ref().to_string_lossy().into_owned();
        #[expect(clippy::disallowed_methods, reason = "xtask is no part of the product, and runs tools")]
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).process_group(0);
        Self { command, shown }
    }

    /// A server that the kernel ends if this process dies without its guards being dropped.
    pub(crate) fn server(program: impl AsRef<OsStr>) -> Self {
        let program = program.as_ref();
        if !exists("setpriv") {
            return Self::new(program);
        }
        let mut run = Self::new("setpriv").args(["--pdeathsig", "TERM", "--"]).arg(program);
        run.shown = program.to_string_lossy().into_owned();
        run
    }

    pub(crate) fn cargo() -> Self {
        Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.shown += &format!(" {}", arg.as_ref().to_string_lossy());
        self.command.arg(arg);
        self
    }

    pub(crate) fn args(self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Standard output and error go to a file.
    pub(crate) fn log(mut self, file: &Path) -> Result<Self> {
        let file = File::create(file).with_context(|| format!("cannot write {}", file.display()))?;
        self.command.stdout(file.try_clone()?).stderr(file);
        Ok(self)
    }

    /// Starts it.
    pub(crate) fn spawn(mut self) -> Result<Child> {
        let inner = self.command.spawn().with_context(|| format!("cannot start `{}`", self.shown))?;
        Ok(Child { inner, shown: self.shown })
    }

    /// Runs it to its end with its output shown; an error unless it succeeds.
    pub(crate) fn status(self) -> Result<()> {
        let mut child = self.spawn()?;
        let status = child.wait()?;
        if !status.success() {
            bail!("`{}` ended with {status}", child.shown);
        }
        Ok(())
    }

    /// Runs it to its end and returns what it wrote to standard output; an error, with what it wrote to standard error,
    /// unless it succeeds in time.
    pub(crate) fn output(mut self, within: Duration) -> Result<String> {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.spawn()?;
        let (out, err) = (collect(child.inner.stdout.take()), collect(child.inner.stderr.take()));
        let mut ended = None;
        poll(within, &child.shown, || {
            ended = child.inner.try_wait()?;
            Ok(ended.is_some())
        })?;
        let (out, err) = (joined(out)?, joined(err)?);
        if !ended.is_some_and(|status| status.success()) {
            bail!(
                "`{}` failed: {}",
                child.shown,
                if err.trim().is_empty() { out.trim() } else { err.trim() }
            );
        }
        Ok(out)
    }

    /// Starts a server that prints `listening on URL` and returns it with the URL.
    pub(crate) fn listening(mut self) -> Result<(Child, String)> {
        self.command.stdout(Stdio::piped());
        let mut child = self.spawn()?;
        let out = child.inner.stdout.take().context("standard output is piped")?;
        let (send, receive) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if let Some(url) = line.strip_prefix("listening on ") {
                    // Nobody waits any more if the deadline has passed.
                    drop(send.send(url.to_owned()));
                }
            }
        });
        let url = receive.recv_timeout(PATIENCE);
        let url = url.with_context(|| format!("`{}` does not say where it listens", child.shown))?;
        Ok((child, url))
    }
}

type Collected = Option<thread::JoinHandle<std::io::Result<String>>>;

fn collect(from: Option<impl std::io::Read + Send + 'static>) -> Collected {
    let mut from = from?;
    Some(thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }))
}

fn joined(collected: Collected) -> Result<String> {
    let Some(thread) = collected else { return Ok(String::new()) };
    match thread.join() {
        Ok(text) => Ok(text?),
        Err(_) => bail!("the reader of a child's output broke"),
    }
}

/// A running child; ended with its whole process group when dropped.
pub(crate) struct Child {
    inner: std::process::Child,
    shown: String,
}

impl Child {
    pub(crate) fn pid(&self) -> u32 {
        self.inner.id()
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.inner.try_wait()?)
    }

    /// Waits without a deadline.
    pub(crate) fn wait(&mut self) -> Result<ExitStatus> {
        loop {
            if let Some(status) = self.inner.try_wait()? {
                return Ok(status);
            }
            if interrupted() {
                bail!("interrupted");
            }
            thread::sleep(POLL);
        }
    }

    /// SIGTERM to the process alone, then waits.
    pub(crate) fn terminate(&mut self, within: Duration) -> Result<ExitStatus> {
        if let Some(status) = self.inner.try_wait()? {
            return Ok(status);
        }
        kill_process(self.id()?, Signal::TERM)?;
        let deadline = Deadline::after(within);
        while !deadline.passed() {
            if let Some(status) = self.inner.try_wait()? {
                return Ok(status);
            }
            thread::sleep(POLL);
        }
        bail!("`{}` does not end within {within:?} of SIGTERM", self.shown);
    }

    /// SIGKILL to the process alone: its children have to notice by themselves.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.inner.kill()?;
        self.inner.wait()?;
        Ok(())
    }

    fn id(&self) -> Result<Pid> {
        let id = i32::try_from(self.inner.id()).ok().and_then(Pid::from_raw);
        id.context("the id of a child is a positive number")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let ended = matches!(self.inner.try_wait(), Ok(Some(_)));
        if ended || self.terminate_group().is_ok() {
            return;
        }
        // What does not listen to SIGTERM has to go all the same; that it may have gone just now is no trouble.
        if let Ok(id) = self.id() {
            kill_process_group(id, Signal::KILL).unwrap_or_default();
        }
        drop(self.inner.wait());
    }
}

impl Child {
    fn terminate_group(&mut self) -> Result<()> {
        kill_process_group(self.id()?, Signal::TERM)?;
        let deadline = Deadline::after(PATIENCE);
        while !deadline.passed() {
            if self.inner.try_wait()?.is_some() {
                return Ok(());
            }
            thread::sleep(POLL);
        }
        bail!("it does not end")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_what_a_program_printed_and_a_failure_says_why() {
        assert_eq!(Run::new("printf").arg("a b").output(PATIENCE).unwrap(), "a b");
        let error = Run::new("sh").args(["-c", "echo no >&2; exit 3"]).output(PATIENCE).unwrap_err();
        assert_eq!(error.to_string(), "`sh -c echo no >&2; exit 3` failed: no");
    }

    #[test]
    fn a_dropped_child_ends_with_its_children() {
        let child = Run::new("sh").args(["-c", "sleep 1000 & wait"]).spawn().unwrap();
        let group = child.id().unwrap();
        drop(child);
        poll(PATIENCE, "the group is gone", || Ok(rustix::process::test_kill_process_group(group).is_err()))
            .unwrap();
    }

    #[test]
    fn a_server_that_does_not_say_where_it_listens_is_an_error() {
        let error = Run::new("true").listening().err().unwrap();
        assert!(error.to_string().contains("does not say where it listens"));
    }
}
