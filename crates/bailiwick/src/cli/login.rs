//! `bailiwick login LINK`: exchanges a one-time link for a key of the admin API and keeps it.

use bailiwick_console::wire::OpenedLinkView;
use bytes::Bytes;
use clap::Args;
use http::header::ACCEPT;
use http::{Method, Request, Uri};
use serde_json::json;

use super::client::{exchange, outbound};
use super::credentials::{self, Credentials};
use super::failure::Failure;
use super::output::Output;
use super::{Global, clean};

/// Arguments of `login`.
#[derive(Debug, Args)]
pub struct Login {
    /// The link that the gateway showed at its first start or `bailiwick user link` made; `-` reads it from
    /// standard input.
    link: String,
}

pub(super) async fn run(global: &Global, args: Login, output: &Output) -> Result<(), Failure> {
    let link = if args.link == "-" {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map_err(|error| Failure::other(error.to_string()))?;
        line
    } else {
        args.link
    };
    let link = link.trim();
    let base = base(link)?;
    // What is kept must be writable before the link is used up.
    let path = credentials::path()?;
    let request = Request::builder().method(Method::POST).uri(link).header(ACCEPT, "application/json");
    let request = request.body(Bytes::new()).map_err(|error| Failure::other(error.to_string()))?;
    let answer = exchange(&outbound(global, &base)?, &base, request).await.map_err(dead)?;
    let opened: OpenedLinkView = serde_json::from_value(answer)
        .map_err(|_| Failure::other("the gateway's answer is not understood"))?;
    credentials::write(&path, &Credentials { url: base.clone(), key: opened.key.into() })?;
    if output.is_json() {
        let file = path.display().to_string();
        return output.json(&json!({ "user": opened.user, "url": base, "file": file }));
    }
    let user = clean::clean(&opened.user);
    output.line(&format!("you are {user} at {base}; the key is in {}", path.display()))
}

fn base(link: &str) -> Result<String, Failure> {
    let wrong =
        || Failure::other("this is no login link").hint("it looks like http://127.0.0.1:7420/login/…");
    let uri: Uri = link.parse().map_err(|_| wrong())?;
    match (uri.scheme_str(), uri.authority()) {
        (Some(scheme @ ("http" | "https")), Some(authority)) if uri.path().starts_with("/login/") => {
            Ok(format!("{scheme}://{authority}"))
        }
        _ => Err(wrong()),
    }
}

fn dead(failure: Failure) -> Failure {
    match &failure.problem {
        Some(problem) if problem.status == 404 => {
            Failure::other("the link was used, has ended, or never was")
                .hint("an administrator makes a new one with `bailiwick user link NAME`")
        }
        _ => failure,
    }
}
