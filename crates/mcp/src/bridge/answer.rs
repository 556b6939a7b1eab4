//! Answers from one era to the other.

use crate::error::{INVALID_PARAMS, RESOURCE_NOT_FOUND, URL_ELICITATION_REQUIRED};
use crate::json::{Malformed, Raw};
use crate::{Answer, Method, Outcome, Patch};

/// Why an answer has no form in the other era.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unbridgeable {
    /// The server wants input from the client, which the other era asks for in another way.
    #[error("the server asks for input in a way that the client's protocol version does not have")]
    InputRequired,
    /// The result is a task of the extension.
    #[error("the server answered with a task, which the client's protocol version does not have")]
    Task,
    /// A result type that nobody knows; to be treated as an invalid answer.
    #[error("the server answered with an unknown resultType")]
    UnknownType,
    /// The answer cannot be read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// What a result is (spec 2026-07-28 basic/index "ResultType").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultType {
    /// Final; also where the member is absent.
    Complete,
    /// Wants input first.
    InputRequired,
    /// A task of the tasks extension.
    Task,
    /// Anything else.
    Other,
}

/// The type of a result object.
///
/// # Errors
/// [`Malformed`] if the result cannot be read or names its type twice.
pub fn result_type(result: Raw<'_>) -> Result<ResultType, Malformed> {
    let Some(raw) = result.member("resultType")? else { return Ok(ResultType::Complete) };
    Ok(match raw.string().as_deref() {
        Some("complete") => ResultType::Complete,
        Some("input_required") => ResultType::InputRequired,
        Some("task") => ResultType::Task,
        _ => ResultType::Other,
    })
}

/// Makes a modern server's answer to `method` one for a legacy client.
///
/// # Errors
/// [`Unbridgeable`] if a legacy client cannot be told.
pub fn answer_to_legacy(
    patch: &mut Patch<'_>,
    answer: &Answer<'_>,
    method: Method,
) -> Result<(), Unbridgeable> {
    match answer.outcome {
        Outcome::Result(result) => {
            match result_type(result)? {
                ResultType::Complete => {}
                ResultType::InputRequired => return Err(Unbridgeable::InputRequired),
                ResultType::Task => return Err(Unbridgeable::Task),
                ResultType::Other => return Err(Unbridgeable::UnknownType),
            }
            patch.body.remove("resultType");
            if method.is_cacheable() {
                patch.body.remove("ttlMs").remove("cacheScope");
            }
        }
        // Invalid params and "no such resource" share a code in modern eras; the latter names the uri in its data
        // (server/resources "Error Handling").
        Outcome::Error(error) if method == Method::ResourcesRead && error.code() == INVALID_PARAMS => {
            if error.data().is_some_and(|data| matches!(data.member("uri"), Ok(Some(_)))) {
                patch.error_code = Some(RESOURCE_NOT_FOUND);
            }
        }
        Outcome::Error(_) => {}
    }
    Ok(())
}

/// Makes a legacy server's answer to `method` one for a modern client: complete, and not to be cached.
///
/// # Errors
/// [`Unbridgeable`] if the answer is a 2025-11-25 URL elicitation, or cannot be read.
pub fn answer_to_modern(
    patch: &mut Patch<'_>,
    answer: &Answer<'_>,
    method: Method,
) -> Result<(), Unbridgeable> {
    match answer.outcome {
        Outcome::Result(result) => {
            result.object()?;
            // Whatever a legacy server means by members of these names is not what a modern client reads in them.
            patch.body.set("resultType", &b"\"complete\""[..]);
            if method.is_cacheable() {
                patch.body.set("ttlMs", &b"0"[..]).set("cacheScope", &b"\"private\""[..]);
            }
        }
        Outcome::Error(error) => match error.code() {
            RESOURCE_NOT_FOUND => patch.error_code = Some(INVALID_PARAMS),
            URL_ELICITATION_REQUIRED => return Err(Unbridgeable::InputRequired),
            _ => {}
        },
    }
    Ok(())
}
