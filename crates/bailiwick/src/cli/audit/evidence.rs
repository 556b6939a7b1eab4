//! `bailiwick audit evidence` and `audit check-evidence`: one file about one call, made by a running gateway, and its
//! check, which needs nothing but the public key.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use bailiwick_ledger::{Evidence, EvidenceReport, Standing};
use clap::Args;

use super::files::{key, read};
use crate::cli::clean::clean;
use crate::cli::client::{Client, segment};
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::table::facts;

/// Of which call, and where to.
#[derive(Debug, Args)]
pub struct Make {
    /// The call's id, as records and `audit query` show it.
    #[arg(long, value_name = "ID")]
    call: String,
    /// The file to write, which must not exist [default: standard output].
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What to check, and with which key.
#[derive(Debug, Args)]
pub struct Check {
    /// The file that `audit evidence` wrote.
    file: PathBuf,
    /// A file with the ledger's public key, kept elsewhere; without it the one in the evidence is believed.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Accept a file that does not say how the call ended: it was under way then, or somebody took the outcome out.
    #[arg(long)]
    allow_open: bool,
}

/// Writes the evidence of a call: always JSON, to be kept as a file.
pub(super) async fn make(client: &Client, args: &Make, output: &Output) -> Result<(), Failure> {
    let answer = client.get(&format!("/audit/evidence/{}", segment(&args.call))).await?;
    let text = serde_json::to_string_pretty(&answer).map_err(|error| Failure::other(error.to_string()))?;
    let report = Evidence::parse(&text).map(|pack| pack.check(&[])).map_err(|fault| {
        Failure::other(fault.to_string()).hint("is this command line of the same version as the gateway?")
    })?;
    for finding in
        report.findings.iter().filter(|f| matches!(f.standing, Standing::Absent | Standing::Missing))
    {
        output.note(&format!("{}: {}", finding.part, finding.why));
    }
    let Some(path) = &args.output else { return output.json(&answer) };
    let written = File::create_new(path).and_then(|mut file| file.write_all(format!("{text}\n").as_bytes()));
    written.map_err(|error| Failure::other(format!("{}: {error}", path.display())))?;
    output.done(&format!("the evidence of {} is in {}", clean(&args.call), path.display()))
}

/// Checks such a file.
pub(super) fn check(args: &Check, output: &Output) -> Result<(), Failure> {
    let keys: Vec<_> = args.key.as_deref().map(key).transpose()?.into_iter().collect();
    let pack = Evidence::parse(&read(&args.file)?)
        .map_err(|fault| Failure::other(format!("{}: {fault}", args.file.display())))?;
    let report = pack.check(&keys);
    if output.is_json() {
        output.json(&report)?;
    } else {
        output.line(&told(&report))?;
    }
    let open = report.is_only_open();
    if report.holds || (open && args.allow_open) {
        return Ok(());
    }
    let bad = report.findings.iter().filter(|f| matches!(f.standing, Standing::Wrong | Standing::Missing));
    let bad: Vec<_> = bad.map(|finding| format!("{}: {}", finding.part, finding.why)).collect();
    let hint = if open {
        "make the file anew when the call has ended; --allow-open accepts it as it is"
    } else {
        "the file is not what the gateway wrote, or the key is not its ledger's"
    };
    Err(Failure::other(format!("{}: {}", args.file.display(), bad.join("\n"))).hint(hint))
}

fn told(report: &EvidenceReport) -> String {
    let verdict = match (report.holds, report.is_only_open()) {
        (true, _) => "the evidence holds",
        (false, true) => "the evidence is not complete",
        (false, false) => "the evidence does not hold",
    };
    let believed = "the one in the file: keep a copy elsewhere, and give it with --key";
    let mut text = format!("{verdict}\n");
    text.push_str(&facts([
        ("call", Some(report.call.to_string())),
        ("ledger", report.origin.clone()),
        ("signed", report.size.map(|size| size.to_string())),
        ("root", report.root.map(|root| root.to_string())),
        ("key", Some(if report.key_given { "given" } else { believed }.to_owned())),
    ]));
    for (standing, title) in [
        (Standing::Proven, "proven by the ledger"),
        (Standing::Linked, "proven by a hash in a proven record"),
        (Standing::Attached, "only attached, proven by nothing"),
        (Standing::Absent, "not in the file"),
        (Standing::Missing, "missing"),
        (Standing::Wrong, "not what it is said to be"),
    ] {
        let of = || report.findings.iter().filter(move |finding| finding.standing == standing);
        if of().next().is_some() {
            text.push_str(&format!("\n{title}\n"));
        }
        for finding in of() {
            text.push_str(&format!("  {}: {}\n", clean(&finding.part), clean(&finding.why)));
        }
    }
    text
}
