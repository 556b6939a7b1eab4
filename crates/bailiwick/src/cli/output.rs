//! What the command line prints: results on standard output, everything else on standard error.

use std::io::{self, Write as _};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::clean::{clean, clean_json};
use super::failure::Failure;

/// Where results go, and in which form.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether JSON is wanted.
    pub(super) fn is_json(self) -> bool {
        self.json
    }

    /// Shows an answer of the gateway: as it is if JSON is wanted, else as `text` makes it.
    pub(super) fn show<T: DeserializeOwned>(
        self,
        answer: Value,
        text: impl FnOnce(T) -> String,
    ) -> Result<(), Failure> {
        if self.json {
            return self.json(&answer);
        }
        let typed = serde_json::from_value(answer).map_err(|error| {
            Failure::other(format!("the gateway's answer is not understood: {error}"))
                .hint("is this command line of the same version as the gateway?")
        })?;
        self.line(&text(typed))
    }

    /// Prints JSON.
    pub(super) fn json(self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(|error| Failure::other(error.to_string()))?;
        self.line(&clean_json(&text))
    }

    /// Says that something was done.
    pub(super) fn done(self, sentence: &str) -> Result<(), Failure> {
        if self.json { self.json(&json!({ "done": true })) } else { self.line(sentence) }
    }

    /// Prints text, whose parts were cleaned.
    pub(super) fn line(self, text: &str) -> Result<(), Failure> {
        match writeln!(io::stdout().lock(), "{}", text.trim_end()) {
            // Whoever reads had enough, as `head` does.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(|error| Failure::other(format!("cannot print: {error}"))),
        }
    }

    /// Says something beside the result.
    pub(super) fn note(self, text: &str) {
        // Nowhere to complain if standard error is closed.
        let _closed = writeln!(io::stderr().lock(), "{}", clean(text));
    }

    /// Says what went wrong and what to do next.
    pub(super) fn failure(self, failure: &Failure) {
        let Failure { message, hint, problem } = failure;
        if self.json {
            let error = json!({ "error": message, "hint": hint, "problem": problem });
            let _closed = writeln!(io::stderr().lock(), "{}", clean_json(&error.to_string()));
            return;
        }
        let message: Vec<String> = message.lines().map(clean).collect();
        let _closed = writeln!(io::stderr().lock(), "error: {}", message.join("\n"));
        if let Some(hint) = hint {
            self.note(&format!("hint: {hint}"));
        }
    }
}
