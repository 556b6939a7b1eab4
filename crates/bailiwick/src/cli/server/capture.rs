//! `bailiwick server capture`: what the ledger holds of the payloads of a server's calls.

use bailiwick_console::wire::{Capture, CaptureAction, CaptureMode, CaptureRule, ServerView, UpdateServer};
use bailiwick_model::RetentionClass;
use clap::{Args, ValueEnum};

use super::super::client::Client;
use super::super::failure::Failure;
use super::super::output::Output;
use super::{path, show};

pub(super) const EXAMPLES: &str = "\
Examples:
  bailiwick server capture files --arguments redacted --results redacted
  bailiwick server capture payroll --arguments full --results full --retention personnel --rule drop:$..iban
  bailiwick server capture crm --tool find_customer --results none --rule drop:$.notes --rule mask:$..birthday";

/// What shall be held. What is not said stays.
#[derive(Debug, Args)]
pub struct CaptureArgs {
    /// The server's name or id.
    name: String,
    /// Only of this tool, by the server's own name for it.
    #[arg(long)]
    tool: Option<String>,
    /// Of the arguments of calls.
    #[arg(long, value_name = "MODE")]
    arguments: Option<Mode>,
    /// Of results and errors.
    #[arg(long, value_name = "MODE")]
    results: Option<Mode>,
    /// What happens to values at a path, as `drop:PATH`, `mask:PATH` or `keep:PATH`; paths are `$.a.b`, `$.a[*].c`, `$..name`.
    #[arg(long = "rule", value_parser = rule, value_name = "RULE")]
    rules: Vec<CaptureRule>,
    /// Take the rules away that there are.
    #[arg(long)]
    without_rules: bool,
    /// The most that is held of one payload, in bytes.
    #[arg(long, conflicts_with = "tool", value_name = "BYTES")]
    max_bytes: Option<u32>,
    /// The class of what is held: bodies of mode `full` have a key for each principal and class [default: standard].
    #[arg(long, conflicts_with = "tool", value_name = "CLASS")]
    retention: Option<RetentionClass>,
}

/// How much is held.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mode {
    /// Size and digest only.
    None,
    /// The payload without the secrets and personal data that are found in it.
    Redacted,
    /// The payload as it is, but for what rules take out; encrypted, with a key that can be destroyed.
    Full,
}

impl From<Mode> for CaptureMode {
    fn from(from: Mode) -> Self {
        match from {
            Mode::None => Self::None,
            Mode::Redacted => Self::Redacted,
            Mode::Full => Self::Full,
        }
    }
}

fn rule(text: &str) -> Result<CaptureRule, String> {
    let (action, path) = text.split_once(':').ok_or("a rule is an action, a colon and a path")?;
    let action = match action {
        "drop" => CaptureAction::Drop,
        "mask" => CaptureAction::Mask,
        "keep" => CaptureAction::Keep,
        _ => return Err("the action is drop, mask or keep".to_owned()),
    };
    Ok(CaptureRule { path: path.to_owned(), action })
}

pub(super) async fn run(client: &Client, args: CaptureArgs, output: &Output) -> Result<(), Failure> {
    let path = path(&args.name);
    let now: ServerView = serde_json::from_value(client.get(&path).await?)
        .map_err(|_| Failure::other("the gateway's answer is not understood"))?;
    let change = UpdateServer { capture: Some(changed(args, now.capture)), ..UpdateServer::default() };
    output.show(client.patch(&path, &change).await?, |server| show::changed(&server))
}

fn changed(args: CaptureArgs, mut capture: Capture) -> Capture {
    let (arguments, results) = (args.arguments.map(Into::into), args.results.map(Into::into));
    let rules = match args.tool {
        Some(tool) => {
            let tool = capture.tools.entry(tool).or_default();
            tool.arguments = arguments.or(tool.arguments);
            tool.results = results.or(tool.results);
            &mut tool.rules
        }
        None => {
            capture.arguments = arguments.unwrap_or(capture.arguments);
            capture.results = results.unwrap_or(capture.results);
            capture.max_bytes = args.max_bytes.unwrap_or(capture.max_bytes);
            capture.retention = args.retention.unwrap_or(capture.retention);
            &mut capture.rules
        }
    };
    if args.without_rules {
        rules.clear();
    }
    rules.extend(args.rules);
    capture
}
