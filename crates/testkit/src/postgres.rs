//! A throwaway PostgreSQL cluster of the machine's own binaries (Debian: package `postgresql`), for the store's suite and
//! for tests of the whole gateway, which also stop and start it under load.
//!
//! A shell stands between: it starts and stops the server on command and stops it when its standard input ends, which
//! happens however the test process ends. PostgreSQL refuses to run as root, so root becomes user `postgres` first.

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const SCRIPT: &str = r#"
set -e
bin=$1; dir=$2; port=$3
mkdir -m 700 "$dir"
trap 'rm -rf "$dir"' EXIT
"$bin/initdb" --pgdata="$dir/data" --no-sync --auth=trust --username=bailiwick --encoding=UTF8 \
    --locale=C.UTF-8 >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; exit 1; }
# Whoever waits for the end of the tests' output does not wait for this.
exec >/dev/null 2>&1
start() {
    "$bin/postgres" -D "$dir/data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories="$dir" \
        -c fsync=off -c full_page_writes=off -c max_connections=200 >>"$dir/postgres.log" 2>&1 &
    server=$!
}
stop() { kill -INT "$server" || true; wait "$server" || true; }
start
while read -r word; do
    case $word in stop) stop ;; start) start ;; esac
done
stop
"#;

/// The looks that a start or a stop is given, one each 20 ms: a minute.
const LOOKS: u32 = 3_000;

/// A running cluster. Stops when it is dropped, or when this process ends.
#[derive(Debug)]
pub struct Cluster {
    shell: Child,
    binaries: PathBuf,
    /// PostgreSQL's own file with its process id and state.
    state: PathBuf,
    port: u16,
}

impl Cluster {
    /// Starts a cluster; takes about a second. `None`, with the reason printed, if this machine has no PostgreSQL.
    ///
    /// # Errors
    /// If PostgreSQL is there and does not start.
    pub fn start() -> io::Result<Option<Self>> {
        let Some(binaries) = binaries() else {
            // Straight to the stream: what a passing test prints by macro is not shown.
            let reason = "SKIPPED: no PostgreSQL in /usr/lib/postgresql; install the package postgresql\n";
            io::stderr().write_all(reason.as_bytes())?;
            return Ok(None);
        };
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let dir = std::env::temp_dir().join(format!("bailiwick-pg-{}-{port}", std::process::id()));
        let state = dir.join("data/postmaster.pid");
        let shell = shell(&binaries, &dir, port)?;
        let mut cluster = Self { shell, binaries, state, port };
        cluster.wait_until(true)?;
        Ok(Some(cluster))
    }

    /// Makes an empty database; its URL.
    ///
    /// # Errors
    /// If the cluster does not take it.
    pub fn create_database(&self) -> io::Result<String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::SeqCst));
        let port = self.port.to_string();
        self.tool("createdb", &["-h", "127.0.0.1", "-p", &port, "-U", "bailiwick", &name])?;
        Ok(format!("postgres://bailiwick@127.0.0.1:{port}/{name}"))
    }

    /// Runs one of PostgreSQL's programs, such as `pg_dump`, as whoever runs the test.
    ///
    /// # Errors
    /// If it does not run or fails; with what it said.
    #[expect(clippy::disallowed_methods, reason = "a test's own tool, which ends by itself")]
    pub fn tool<S: AsRef<OsStr>>(&self, name: &str, args: &[S]) -> io::Result<Output> {
        let output = Command::new(self.binaries.join(name)).args(args).output()?;
        if output.status.success() {
            return Ok(output);
        }
        Err(io::Error::other(format!("{name}: {}", String::from_utf8_lossy(&output.stderr))))
    }

    /// Stops the server as its administrator would, cutting its clients' connections. Returns when it has ended.
    ///
    /// # Errors
    /// If it does not end within a minute.
    pub fn pause(&mut self) -> io::Result<()> {
        self.say("stop\n")?;
        self.wait_until(false)
    }

    /// Starts the stopped server again, with its data and at its old address. Returns when it takes connections.
    ///
    /// # Errors
    /// If it does not start within a minute.
    pub fn resume(&mut self) -> io::Result<()> {
        self.say("start\n")?;
        self.wait_until(true)
    }

    fn say(&mut self, word: &str) -> io::Result<()> {
        let stdin = self.shell.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        stdin.write_all(word.as_bytes())
    }

    /// The server says in its lock file that it is ready, as `pg_ctl` reads it, and removes it at its end.
    fn wait_until(&mut self, ready: bool) -> io::Result<()> {
        for _ in 0..LOOKS {
            let state = std::fs::read_to_string(&self.state).ok();
            let is_ready = state.as_ref().is_some_and(|text| text.trim_end().ends_with("ready"));
            if if ready { is_ready } else { state.is_none() } {
                return Ok(());
            }
            if let Some(exit) = self.shell.try_wait()? {
                return Err(io::Error::other(format!("PostgreSQL did not start: {exit}")));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(io::Error::other("PostgreSQL did not start or stop in time"))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // It ends by itself now; this only waits for it.
        let _ended = self.shell.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "a test's own server, which it ends itself")]
fn shell(binaries: &Path, dir: &Path, port: u16) -> io::Result<Child> {
    let root = std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
    let mut command = if root {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "sh"]);
        command
    } else {
        Command::new("sh")
    };
    command.args(["-c", SCRIPT, "sh"]).arg(binaries).arg(dir).arg(port.to_string());
    command.current_dir("/").stdin(Stdio::piped());
    // Its own process group: Ctrl-C on the tests ends it by its standard input, in order.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn()
}

fn binaries() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.flatten().map(|entry| entry.path()).max_by_key(|path| version(path))?;
    let binaries = newest.join("bin");
    binaries.join("initdb").exists().then_some(binaries)
}
