//! Why not, for records and for people. Records name the rule always; the text tells it only to those who
//! may see the thing, since for everyone else it does not exist.

use std::sync::{Arc, LazyLock};

use bailiwick_model::definition::DefinitionKind;
use bailiwick_model::grant::Action;

use crate::catalogue::CatalogueServer;
use crate::judge::Thing;

/// Why a decision is a denial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The caller's credential ended.
    CredentialEnded,
    /// The caller is nobody whom the snapshot knows.
    Stranger,
    /// The snapshot's catalogue has no such thing.
    Absent,
    /// The thing has no such action: prompts are not called.
    NotApplicable,
    /// The thing or the caller could not be put before the policies, for this reason.
    Undecidable(String),
    /// No policy permits it, so no grant reaches it.
    NoGrant,
    /// These policies forbid it.
    Forbidden(Vec<Box<str>>),
    /// These policies could not be evaluated, and might have forbidden it.
    Failed(Vec<Box<str>>),
}

/// The ids under which decisions name what is no policy. No policy may have one of them.
pub(crate) const RESERVED: [&str; 6] = [
    "credential-ended",
    "unknown-principal",
    "no-such-thing",
    "no-such-action",
    "undecidable",
    "default-deny",
];

impl Refusal {
    /// The ids of the rules that decided.
    pub(crate) fn into_rules(self) -> Arc<[Box<str>]> {
        let reserved = |at: usize| Arc::from([Box::<str>::from(RESERVED[at])]);
        match self {
            Self::CredentialEnded => reserved(0),
            Self::Stranger => reserved(1),
            Self::Absent => reserved(2),
            Self::NotApplicable => reserved(3),
            Self::Undecidable(reason) => Arc::from([RESERVED[4].into(), reason.into()]),
            Self::NoGrant => reserved(5),
            Self::Forbidden(policies) | Self::Failed(policies) => policies.into(),
        }
    }
}

/// The text that says no more than that there is nothing.
pub(crate) fn nothing() -> Arc<str> {
    static NOTHING: LazyLock<Arc<str>> =
        LazyLock::new(|| Arc::from("There is no such thing, or you may not see it."));
    Arc::clone(&NOTHING)
}

/// The text for the caller.
pub(crate) fn explain(
    refusal: &Refusal,
    server: &CatalogueServer,
    thing: Thing<'_>,
    action: Action,
    visible: bool,
) -> Arc<str> {
    if !visible {
        return nothing();
    }
    let what = described(server, thing);
    let verb = action.as_str();
    Arc::from(match refusal {
        Refusal::NoGrant => format!(
            "default-deny: you may see {what}, but no grant lets you {verb} it. Ask an administrator for a \
             grant of \"{verb}\" on it, on a toolset that has it, or on the server."
        ),
        Refusal::Forbidden(policies) => format!(
            "{}: forbidden by policy, whatever the grants say: to {verb} {what}. Ask an administrator \
             whether the policy should apply to you.",
            policies.join(", ")
        ),
        Refusal::Failed(policies) => format!(
            "{}: this policy could not be evaluated, so what it might forbid is refused: to {verb} {what}. \
             Tell an administrator that the policy needs to be mended.",
            policies.join(", ")
        ),
        Refusal::NotApplicable => format!("no-such-action: nobody can {verb} {what}."),
        Refusal::CredentialEnded | Refusal::Stranger | Refusal::Absent | Refusal::Undecidable(_) => {
            return nothing();
        }
    })
}

// Keys are the server's own words: written with escapes, so that they cannot bring control characters.
fn described(server: &CatalogueServer, thing: Thing<'_>) -> String {
    let name = &server.server.name;
    match thing {
        Thing::Server => format!("server {name}"),
        Thing::Uri(uri) => format!("resource {uri:?} of server {name}"),
        Thing::Definition(definition) => {
            let kind = match definition.kind {
                DefinitionKind::Tool => "tool",
                DefinitionKind::Prompt => "prompt",
                DefinitionKind::Resource => "resource",
                DefinitionKind::ResourceTemplate => "resource template",
            };
            format!("{kind} {:?} of server {name}", definition.key)
        }
    }
}
