//! `bailiwick audit export`: records of a ledger's directory, for other tools. Without a gateway, in one pass and
//! constant memory. What is exported is not checked; that is `audit verify`.

mod csv;
mod filter;

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::PathBuf;

use bailiwick_ledger::{Follow, Line, tail};
use bailiwick_model::Timestamp;
use clap::{Args, ValueEnum};
use serde_json::Value;

use super::files::ledger_dir;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use filter::{Condition, Filter};

/// What to export, and how.
#[derive(Debug, Args)]
pub struct Export {
    /// The ledger's directory [default: the one of the settings file].
    dir: Option<PathBuf>,
    /// Records of this moment or later: a date (UTC) or an RFC 3339 time.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Timestamp>,
    /// Records before this moment.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<Timestamp>,
    /// Only these: kind=, principal= (id or name) or server= (id or name), separated by commas. Of one sort any
    /// counts, of different sorts all. The outcome of a call counts like its intent.
    #[arg(long, value_name = "SORT=VALUE", value_delimiter = ',')]
    filter: Vec<Condition>,
    /// The form: `jsonl` is the ledger's lines byte for byte, `csv` the usual members as columns.
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// The file to write, which must not exist [default: standard output].
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The settings file [default: ./bailiwick.toml, if there is one].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Jsonl,
    Csv,
}

/// Progress is shown after so many records.
const STEP: u64 = 50_000;

pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    let midnight = format!("{text}T00:00:00Z");
    text.parse()
        .or_else(|_| midnight.parse())
        .map_err(|_| "write 2026-07-28 or 2026-07-28T09:30:00Z".to_owned())
}

pub(super) fn export(args: Export, output: &Output) -> Result<(), Failure> {
    let dir = ledger_dir(args.dir.as_deref(), args.config.as_deref())?;
    let other = |error: bailiwick_ledger::ReadError| Failure::other(error.to_string());
    let last = tail(&dir, 1, None).map_err(other)?.pop();
    let Some(last) = last else {
        return Err(Failure::other(format!("{} holds no records of a ledger", dir.display())));
    };
    let to_terminal = args.output.is_none() && io::stdout().is_terminal();
    let progress = Progress { total: last.index + 1, shown: io::stderr().is_terminal() && !to_terminal };
    let sink = sink(&args)?;
    let mut export = Exporting {
        from: args.from.map(|time| time.to_string()),
        to: args.to.map(|time| time.to_string()),
        filter: Filter::new(args.filter),
        format: args.format,
        sink,
        exported: 0,
    };
    let done = export.all(&mut Follow::from(&dir, 0), &progress);
    progress.end();
    match done {
        Err(Stopped::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(Stopped::Write(error)) => Err(Failure::other(format!("cannot write: {error}"))),
        Err(Stopped::Read(error)) => Err(other(error)),
        Ok(()) if args.output.is_some() => output.done(&format!("{} records exported", export.exported)),
        Ok(()) => Ok(()),
    }
}

fn sink(args: &Export) -> Result<Box<dyn Write>, Failure> {
    let Some(path) = &args.output else { return Ok(Box::new(BufWriter::new(io::stdout().lock()))) };
    let file =
        File::create_new(path).map_err(|error| Failure::other(format!("{}: {error}", path.display())))?;
    Ok(Box::new(BufWriter::new(file)))
}

/// Said on a terminal, and nowhere else.
struct Progress {
    total: u64,
    shown: bool,
}

impl Progress {
    fn at(&self, index: u64) {
        if self.shown && index.is_multiple_of(STEP) {
            // Nowhere to complain if standard error is closed.
            let _closed = write!(io::stderr(), "\r{index} of {} records", self.total);
        }
    }

    fn end(&self) {
        if self.shown {
            let _closed = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

enum Stopped {
    Read(bailiwick_ledger::ReadError),
    Write(io::Error),
}

struct Exporting {
    /// In the ledger's own form of writing, which sorts like time.
    from: Option<String>,
    to: Option<String>,
    filter: Filter,
    format: Format,
    sink: Box<dyn Write>,
    exported: u64,
}

impl Exporting {
    fn all(&mut self, follow: &mut Follow, progress: &Progress) -> Result<(), Stopped> {
        if self.format == Format::Csv {
            self.sink.write_all(csv::head().as_bytes()).map_err(Stopped::Write)?;
        }
        // What is appended meanwhile is left for the next export: else it might never end.
        while follow.next_index() < progress.total {
            let lines = follow.read().map_err(Stopped::Read)?;
            if lines.is_empty() {
                break;
            }
            for line in &lines {
                progress.at(line.index);
                self.one(line).map_err(Stopped::Write)?;
            }
        }
        self.sink.flush().map_err(Stopped::Write)
    }

    fn one(&mut self, line: &Line) -> io::Result<()> {
        let record: Value = serde_json::from_str(&line.json)?;
        let time = record["time"].as_str().unwrap_or_default();
        let early = self.from.as_deref().is_some_and(|from| time < from);
        let late = self.to.as_deref().is_some_and(|to| time >= to);
        // Asked in any case: an intent that is too early may have an outcome that is not.
        let wanted = self.filter.wants(&record);
        if early || late || !wanted {
            return Ok(());
        }
        self.exported += 1;
        match self.format {
            Format::Jsonl => writeln!(self.sink, "{}", line.json),
            Format::Csv => self.sink.write_all(csv::row(&record).as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates_or_times() {
        let text = |written| moment(written).map(|time| time.to_string());
        assert_eq!(text("2026-07-28").as_deref(), Ok("2026-07-28T00:00:00.000000Z"));
        assert_eq!(text("2026-07-28T09:30:00+02:00").as_deref(), Ok("2026-07-28T07:30:00.000000Z"));
        assert!(text("yesterday").is_err());
    }
}
