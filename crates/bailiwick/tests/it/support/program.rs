//! The real program, as an operator starts it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The binary on a data directory, and where it is reached.
pub(crate) struct Program {
    child: Child,
    pub(crate) url: String,
}

impl Program {
    /// What starts it in a directory; what it logs is piped.
    #[expect(clippy::disallowed_methods, reason = "the program under test is no child of a gateway")]
    pub(crate) fn command(dir: &Path) -> Command {
        let config = dir.join("bailiwick.toml");
        let text = format!(
            "[listen]\naddress = \"127.0.0.1:0\"\n[data]\ndir = {:?}\n[egress]\nallow = [\"127.0.0.0/8:*\"]\n",
            dir.join("data")
        );
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
        command.args(["serve", "--config"]).arg(&config).stderr(Stdio::piped());
        command
    }

    /// Starts it and waits until it says that it is ready.
    pub(crate) fn start(dir: &Path) -> Self {
        let mut child = Self::command(dir).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let url = log.by_ref().find_map(|line| {
            let line = line.unwrap();
            let start = line.find("http://127.0.0.1:").filter(|_| line.contains("ready"))?;
            let end = line[start..].find(|c: char| c == '"' || c.is_whitespace() || c == '\u{1b}');
            Some(line[start..][..end.unwrap_or(line.len() - start)].trim_end_matches('/').to_owned())
        });
        // Whoever writes to a pipe that nobody reads would wait.
        std::thread::spawn(move || log.for_each(drop));
        Self { child, url: url.expect("the program did not say where it is reached") }
    }

    #[expect(clippy::disallowed_methods, reason = "a signal needs a program of its own here")]
    pub(crate) fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Its exit code, within this time.
    pub(crate) async fn ended(mut self, patience: Duration) -> Option<i32> {
        let waiting = async {
            loop {
                if let Some(status) = self.child.try_wait().unwrap() {
                    return status.code();
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let ended = tokio::time::timeout(patience, waiting).await;
        if ended.is_err() {
            self.child.kill().unwrap();
        }
        ended.unwrap_or_else(|_| panic!("it did not stop in {patience:?}"))
    }
}
