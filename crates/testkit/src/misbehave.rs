//! Ways in which a stdio server can be a burden to whoever started it. `bailiwick-fixture --misbehave <kind>` is such a process.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use tokio::io::{AsyncWriteExt as _, BufWriter};
use tokio::signal::unix::{SignalKind, signal};

/// What the process does instead of serving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misbehaviour {
    /// Writes lines that are no JSON, one every 10 ms, then serves as the fixture does: they stand between its answers.
    Garbage,
    /// Writes one line of 100 MB and then sleeps.
    LongLine,
    /// Writes to standard error without end, and serves as the fixture does.
    StderrFlood,
    /// Never reads its input, and sleeps.
    NeverReads,
    /// Reads its input and never answers.
    NeverAnswers,
    /// Exits at once with status 3: started again and again it is a crash loop.
    Exits,
    /// Starts a child that sleeps for an hour, writes `{"grandchild":<pid>}` to standard error, and serves.
    Grandchild,
    /// Does not end on SIGTERM nor on the end of its input.
    IgnoresTerm,
}

const NAMES: [(&str, Misbehaviour); 8] = [
    ("garbage", Misbehaviour::Garbage),
    ("long-line", Misbehaviour::LongLine),
    ("stderr-flood", Misbehaviour::StderrFlood),
    ("never-reads", Misbehaviour::NeverReads),
    ("never-answers", Misbehaviour::NeverAnswers),
    ("exits", Misbehaviour::Exits),
    ("grandchild", Misbehaviour::Grandchild),
    ("ignores-term", Misbehaviour::IgnoresTerm),
];

impl FromStr for Misbehaviour {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
        known.ok_or_else(|| {
            let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            format!("one of {} is possible", names.join(", "))
        })
    }
}

impl fmt::Display for Misbehaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(_, kind)| kind == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

/// Misbehaves, and returns the status to exit with. Kinds that also serve return when their client has closed their input.
///
/// # Errors
/// When standard output or error are gone.
pub async fn run(kind: Misbehaviour) -> std::io::Result<u8> {
    match kind {
        Misbehaviour::Exits => return Ok(3),
        Misbehaviour::LongLine => {
            long_line().await?;
            sleep_on().await;
        }
        Misbehaviour::NeverReads => sleep_on().await,
        Misbehaviour::NeverAnswers => {
            tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await?;
        }
        Misbehaviour::Garbage => {
            tokio::select! { served = serve() => served?, wrote = garbage() => wrote? }
        }
        Misbehaviour::StderrFlood => {
            tokio::select! { served = serve() => served?, wrote = flood() => wrote? }
        }
        Misbehaviour::Grandchild => {
            let mut child = tokio::process::Command::new("sleep").arg("3600").kill_on_drop(false).spawn()?;
            tokio::io::stderr()
                .write_all(format!("{{\"grandchild\":{}}}\n", child.id().unwrap_or(0)).as_bytes())
                .await?;
            tokio::select! { served = serve() => served?, waited = child.wait() => { waited?; } }
        }
        Misbehaviour::IgnoresTerm => {
            let mut terminations = signal(SignalKind::terminate())?;
            let ignore = async { while terminations.recv().await.is_some() {} };
            tokio::join!(ignore, async {
                // Its input ended or broke: it stays all the same.
                let _ended = serve().await;
            });
            sleep_on().await;
        }
    }
    Ok(0)
}

async fn serve() -> std::io::Result<()> {
    crate::fixture::stdio().await.map_err(std::io::Error::other)
}

async fn sleep_on() {
    tokio::time::sleep(Duration::from_secs(3600)).await;
}

async fn garbage() -> std::io::Result<()> {
    let mut out = tokio::io::stdout();
    let lines = ["this is no JSON\n", "{\"jsonrpc\":\n", "[]\n", "\u{1b}[31mred\u{1b}[0m\n", "\n"];
    for line in lines.iter().cycle() {
        out.write_all(line.as_bytes()).await?;
        out.flush().await?;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

async fn long_line() -> std::io::Result<()> {
    let mut out = BufWriter::new(tokio::io::stdout());
    let chunk = vec![b'x'; 1_000_000];
    out.write_all(br#"{"jsonrpc":"2.0","id":1,"result":{"text":""#).await?;
    for _ in 0..100 {
        out.write_all(&chunk).await?;
    }
    out.write_all(b"\"}}\n").await?;
    out.flush().await
}

async fn flood() -> std::io::Result<()> {
    let mut out = tokio::io::stderr();
    let chunk = b"this server has a lot to say and nobody asked it to\n".repeat(100);
    loop {
        out.write_all(&chunk).await?;
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_known_by_its_name() {
        for (name, kind) in NAMES {
            assert_eq!(name.parse::<Misbehaviour>().unwrap(), kind);
            assert_eq!(kind.to_string(), name);
        }
        assert!("polite".parse::<Misbehaviour>().unwrap_err().contains("garbage"));
    }
}
