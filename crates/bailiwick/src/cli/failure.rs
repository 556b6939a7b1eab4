//! What goes wrong on the command line: what happened, and what to do next.

use bailiwick_console::wire::ProblemDetails;
use http::StatusCode;

/// A command that did not do what it should.
#[derive(Debug)]
pub struct Failure {
    /// What happened.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// What the gateway said, if it is its answer.
    pub problem: Option<Box<ProblemDetails>>,
}

impl Failure {
    /// Something else than an answer of the gateway.
    pub fn other(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, problem: None }
    }

    /// With what to do next.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The gateway's answer.
    pub fn answer(problem: ProblemDetails) -> Self {
        let hint = match (problem.status, problem.reason.as_str()) {
            (401, _) => Some("run `bailiwick login LINK`, or put an admin key into BAILIWICK_KEY"),
            (403, "forbidden") => Some("ask an administrator, or use a key of a user with that role"),
            (403, "foreign_host") => Some("address the gateway by the name in its listen.public_url"),
            (404, "not_found") => Some("the `list` command of the same noun shows what there is"),
            (503, "audit_unavailable") => {
                Some("the gateway's disk is full or broken: `bailiwick audit status` and its log say more")
            }
            (503, _) => Some("try again in a moment"),
            (500, _) => Some("look into the gateway's log"),
            _ => None,
        };
        let message = match &problem.field {
            Some(field) => format!("{field}: {}", problem.detail),
            None => problem.detail.clone(),
        };
        Self { message, hint: hint.map(ToOwned::to_owned), problem: Some(Box::new(problem)) }
    }

    /// An answer that is none of the admin API's.
    pub fn strange(status: StatusCode) -> Self {
        Self::other(format!("what answered ({status}) is not Bailiwick's admin API"))
            .hint("check the URL: it is the gateway's own, without a path")
    }
}
