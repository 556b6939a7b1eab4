//! `bailiwick audit body` and `audit erase`: what is held of a call's payloads, and the end of the keys to it.

use bailiwick_console::wire::{BodiesView, BodyView, EraseBodies, ErasedView, ReadBodies};
use bailiwick_model::RetentionClass;
use clap::Args;

use crate::cli::clean::{clean, clean_json};
use crate::cli::client::{Client, segment};
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::table::moment;

/// Of which call, and why.
#[derive(Debug, Args)]
pub struct Read {
    /// The call's id, as records and `audit query` show it.
    #[arg(long, value_name = "ID")]
    call: String,
    /// Why you read it: it is kept in the ledger.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Whose, and why.
#[derive(Debug, Args)]
pub struct Erase {
    /// The user or agent, by name or id.
    #[arg(long, value_name = "NAME")]
    principal: String,
    /// Only bodies of this class.
    #[arg(long, value_name = "CLASS")]
    class: Option<RetentionClass>,
    /// Why: it is kept in the ledger.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub(super) async fn read(client: &Client, args: Read, output: &Output) -> Result<(), Failure> {
    let path = format!("/audit/bodies/{}", segment(&args.call));
    let answer = client.post(&path, &ReadBodies { reason: args.reason }).await?;
    output.show(answer, |view: BodiesView| {
        let told: Vec<String> = view.bodies.iter().map(told).collect();
        if told.is_empty() { "no payload of this call is on record".to_owned() } else { told.join("\n") }
    })
}

pub(super) async fn erase(client: &Client, args: Erase, output: &Output) -> Result<(), Failure> {
    let body = EraseBodies { principal: args.principal, class: args.class, reason: args.reason };
    output.show(client.post("/audit/erase", &body).await?, |erased: ErasedView| {
        let keys = erased.keys.iter().map(|key| {
            format!(
                "  {} ({}), made {}\n",
                clean(&key.id),
                clean(&key.class),
                clean(&moment(&key.created_at))
            )
        });
        let many = if erased.destroyed == 1 { "key was" } else { "keys were" };
        format!("{} {many} destroyed\n{}", erased.destroyed, keys.collect::<String>())
    })
}

fn told(body: &BodyView) -> String {
    let class = if body.class == RetentionClass::STANDARD {
        String::new()
    } else {
        format!(", class {}", clean(&body.class))
    };
    let cut = if body.cut { ", cut" } else { "" };
    let head = format!("{} (record {}, {} bytes{class}{cut}): ", clean(&body.part), body.record, body.bytes);
    let what = match (body.held.as_str(), &body.destroyed) {
        ("nothing", _) => "only size and digest are held".to_owned(),
        ("lost", _) => {
            "its key is not in this state: it was made after the backup that the state is from".to_owned()
        }
        (_, Some(how)) => {
            let by = how.by.as_deref().map(|by| format!(" by {}", clean(by))).unwrap_or_default();
            format!("destroyed on {}{by}: {}", clean(&moment(&how.at)), clean(&how.reason))
        }
        (held, None) => {
            let fallback =
                body.fallback.as_deref().map(|why| format!(" ({})", clean(why))).unwrap_or_default();
            let text = body.text.as_deref().unwrap_or_default();
            format!("{}{fallback}\n{}", clean(held), clean_json(text))
        }
    };
    format!("{head}{what}")
}
