//! Drives a real gateway: starts the binary on a data folder of its own, logs in by the one-time link, and uses the CLI as
//! an administrator would. Used by quickstart, conformance, e2e, kill9 and bench.

use std::ffi::OsStr;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::http;
use crate::run::{Child, Run, poll};

/// How long the first start may take: it makes keys and a database.
const READY: Duration = Duration::from_secs(30);
const ANSWER: Duration = Duration::from_secs(60);

/// What to start.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The binary.
    pub(crate) program: PathBuf,
    /// A folder for settings, data, log and credentials.
    pub(crate) home: PathBuf,
    /// The preferred port; another one if it is taken, or if it is 0.
    pub(crate) port: u16,
    /// Lines of the ledger's section of the settings.
    pub(crate) durability: &'static str,
}

/// A running gateway and its administrator. Ends when dropped.
pub(crate) struct Gateway {
    settings: Settings,
    child: Child,
    address: SocketAddr,
}

impl Gateway {
    /// Starts on an empty folder and logs in.
    pub(crate) fn start(settings: Settings) -> Result<Self> {
        let address = free_address(settings.port)?;
        fs::write(settings.home.join("bailiwick.toml"), toml(&settings, address))?;
        let gateway = Self { child: spawn(&settings)?, address, settings };
        let mut gateway = gateway.ready(READY)?;
        gateway.log_in()?;
        Ok(gateway)
    }

    /// Starts again on the same data after the process has ended; it has to be ready in `within`.
    pub(crate) fn start_again(mut self, within: Duration) -> Result<Self> {
        self.child = spawn(&self.settings)?;
        self.ready(within)
    }

    fn ready(mut self, within: Duration) -> Result<Self> {
        let url = self.url("/readyz");
        poll(within, "the gateway is ready", || {
            if let Some(status) = self.child.ended()? {
                bail!("the gateway ended with {status}:\n{}", self.log());
            }
            let connects = TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).is_ok();
            Ok(connects && http::send("GET", &url, &[], "").is_ok_and(|answer| answer.status == 200))
        })
        .with_context(|| format!("the gateway's log ends with:\n{}", self.log()))?;
        Ok(self)
    }

    fn log_in(&mut self) -> Result<()> {
        // It is there before the gateway is ready.
        let link = fs::read_to_string(self.data().join("admin-link")).context("the admin link")?;
        self.cli(["login", link.trim()])?;
        Ok(())
    }

    /// The URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.settings.home.join("data")
    }

    fn config(&self) -> PathBuf {
        self.settings.home.join("config")
    }

    /// The process.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Runs a command of the CLI as the administrator; what it prints.
    pub(crate) fn cli<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Result<String> {
        // Credentials are kept under the home folder: the user's own ones are none of our business.
        let run = Run::new(&self.settings.program)
            .env("HOME", &self.settings.home)
            .env("XDG_CONFIG_HOME", self.config())
            .env("BAILIWICK_KEY", "")
            .env("BAILIWICK_URL", self.url(""));
        run.args(args).output(ANSWER)
    }

    /// As [`Gateway::cli`] with `--json`; what it prints, parsed.
    pub(crate) fn json(&self, args: &[&str]) -> Result<Value> {
        let (options, command) = match args.iter().position(|arg| *arg == "--") {
            // What comes after `--` is the server's own command line.
            Some(at) => args.split_at(at),
            None => (args, [].as_slice()),
        };
        let printed = self.cli(options.iter().chain(&["--json"]).chain(command))?;
        serde_json::from_str(&printed)
            .with_context(|| format!("`{}` printed no JSON: {printed}", args.join(" ")))
    }

    /// Registers a server that is reached by HTTP.
    pub(crate) fn add_http_server(&self, name: &str, url: &str) -> Result<()> {
        self.json(&["server", "add", name, "--url", url]).map(drop)
    }

    /// Registers a server that is a child process and may read these folders.
    pub(crate) fn add_stdio_server(&self, name: &str, read: &[&Path], command: &[&str]) -> Result<()> {
        let read: Vec<_> = read.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        let mut args = vec!["server", "add", name, "--stdio"];
        for path in &read {
            args.extend(["--allow-read", path]);
        }
        args.push("--");
        args.extend(command);
        self.json(&args).map(drop)
    }

    /// The last records of the ledger, oldest first.
    pub(crate) fn last_records(&self, count: usize) -> Result<Vec<Value>> {
        let printed = self.cli(["audit", "tail", "-n", &count.to_string(), "--json"])?;
        printed.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    /// Checks the ledger's files.
    pub(crate) fn verify_ledger(&self) -> Result<()> {
        let ledger = self.data().join("ledger");
        self.cli([OsStr::new("audit"), OsStr::new("verify"), ledger.as_os_str()]).map(drop)
    }

    /// Makes an agent with grants on servers; its key.
    pub(crate) fn add_agent(&self, agent: &str, servers: &[&str]) -> Result<String> {
        self.json(&["agent", "add", agent])?;
        for server in servers {
            self.json(&["grant", "add", "--agent", agent, "--server", server])?;
        }
        let key = self.json(&["key", "issue", "--agent", agent, "--label", "made by xtask"])?;
        let text = key["text"].as_str().context("the key's text is not in the answer")?;
        Ok(text.to_owned())
    }

    /// The end of the gateway's log.
    pub(crate) fn log(&self) -> String {
        let log = fs::read_to_string(self.settings.home.join("gateway.log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

fn spawn(settings: &Settings) -> Result<Child> {
    let run = Run::server(&settings.program).args(["serve", "--config"]);
    run.arg(settings.home.join("bailiwick.toml")).log(&settings.home.join("gateway.log"))?.spawn()
}

fn toml(settings: &Settings, address: SocketAddr) -> String {
    let data = settings.home.join("data");
    let durability = settings.durability;
    // Servers of the tests listen on loopback, which egress forbids by default.
    format!(
        "[listen]\naddress = \"{address}\"\n\n[data]\ndir = {data:?}\n\n[ledger]\ndurability = \"{durability}\"\n\n\
         [egress]\nallow = [\"127.0.0.1\"]\n"
    )
}

/// The preferred port on loopback, or a free one. Somebody could take it before the gateway does; then its start fails.
fn free_address(preferred: u16) -> Result<SocketAddr> {
    let listener =
        TcpListener::bind(("127.0.0.1", preferred)).or_else(|_| TcpListener::bind(("127.0.0.1", 0)))?;
    Ok(listener.local_addr()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_replaced_by_a_free_one() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let holder = TcpListener::bind(taken).unwrap();
        let other = free_address(taken.port()).unwrap();
        assert_ne!(other.port(), holder.local_addr().unwrap().port());
    }
}
