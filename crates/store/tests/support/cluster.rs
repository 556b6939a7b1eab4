//! A throwaway PostgreSQL cluster of the machine's own binaries (Debian: package `postgresql`).
//!
//! A shell stands between: it starts the server and stops it when its standard input ends, which happens
//! however the test process ends. PostgreSQL refuses to run as root, so root becomes user `postgres` first.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

const SCRIPT: &str = r#"
set -e
bin=$1; dir=$2; port=$3
mkdir -m 700 "$dir"
trap 'rm -rf "$dir"' EXIT
"$bin/initdb" --pgdata="$dir/data" --no-sync --auth=trust --username=bailiwick --encoding=UTF8 \
    --locale=C.UTF-8 >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; exit 1; }
# Whoever waits for the end of the tests' output does not wait for this.
exec >/dev/null 2>&1
"$bin/postgres" -D "$dir/data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories="$dir" \
    -c fsync=off -c full_page_writes=off -c max_connections=200 >"$dir/postgres.log" 2>&1 &
server=$!
read -r _ || true
kill -INT "$server"
wait "$server" || true
"#;

/// A running cluster. Stops when it is dropped, or when this process ends.
pub(crate) struct Cluster {
    shell: Child,
    port: u16,
}

impl Cluster {
    /// Starts a cluster; takes about a second. `None`, with the reason printed, if this machine cannot.
    pub(crate) fn start() -> Option<Self> {
        let Some(binaries) = binaries() else {
            // Straight to the stream: what a passing test prints by macro is not shown.
            let reason = "SKIPPED: no PostgreSQL in /usr/lib/postgresql; install the package postgresql\n";
            std::io::stderr().write_all(reason.as_bytes()).unwrap();
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let dir = std::env::temp_dir().join(format!("bailiwick-pg-{}-{port}", std::process::id()));
        let mut cluster = Self { shell: shell(&binaries, &dir, port), port };
        cluster.wait_until_ready(&dir);
        Some(cluster)
    }

    /// Makes a database; its URL.
    pub(crate) async fn create_database(&self) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::SeqCst));
        let mut connection = PgConnection::connect(&self.url("postgres")).await.unwrap();
        connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        connection.close().await.unwrap();
        self.url(&name)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://bailiwick@127.0.0.1:{}/{database}", self.port)
    }

    /// Stops the server and removes its files.
    pub(crate) fn stop(self) {
        drop(self);
    }

    /// The server says in its lock file that it is ready, as `pg_ctl` reads it. It has a minute.
    fn wait_until_ready(&mut self, dir: &Path) {
        let status = dir.join("data/postmaster.pid");
        for _ in 0..3_000 {
            if std::fs::read_to_string(&status).is_ok_and(|text| text.trim_end().ends_with("ready")) {
                return;
            }
            if let Some(exit) = self.shell.try_wait().unwrap() {
                panic!("PostgreSQL did not start: {exit}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("PostgreSQL did not start in time");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        self.shell.wait().unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "a test's own server, which it ends itself")]
fn shell(binaries: &Path, dir: &Path, port: u16) -> Child {
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
    command.spawn().unwrap()
}

fn binaries() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.flatten().map(|entry| entry.path()).max_by_key(|path| version(path))?;
    let binaries = newest.join("bin");
    binaries.join("initdb").exists().then_some(binaries)
}
