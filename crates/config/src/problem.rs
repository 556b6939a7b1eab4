//! What is wrong with the settings: every problem at once, each with its place in the file or the name of
//! the variable, and with what to do about it. Renders itself plainly by `Display` and richly by miette.

use std::fmt;
use std::ops::Range;

use miette::{Diagnostic, NamedSource, SourceSpan};

/// The settings cannot be used.
#[derive(Debug, Diagnostic)]
pub struct ConfigError {
    #[source_code]
    text: NamedSource<String>,
    #[related]
    problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, thiserror::Error, Diagnostic)]
#[error("{}{message}", key.as_ref().map(|key| format!("{key}: ")).unwrap_or_default())]
pub struct Problem {
    /// The key, as `section.key`, if it is about one.
    pub key: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[help]
    pub help: Option<String>,
    /// Where it stands.
    #[label("here")]
    pub span: Option<SourceSpan>,
}

impl Problem {
    pub(crate) fn at(span: Option<Range<usize>>, message: impl Into<String>) -> Self {
        Self { key: None, message: message.into(), help: None, span: span.map(SourceSpan::from) }
    }
}

impl ConfigError {
    /// `text` must hold no secrets any more: it is shown around the places of the problems.
    pub(crate) fn new(name: &str, text: String, problems: Vec<Problem>) -> Self {
        Self { text: NamedSource::new(name, text).with_language("toml"), problems }
    }

    /// Everything that is wrong, in the order of the sections.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    fn position(&self, problem: &Problem) -> Option<(usize, usize)> {
        let before = self.text.inner().get(..problem.span?.offset())?;
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Some((before.matches('\n').count() + 1, before.get(line_start..)?.chars().count() + 1))
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the settings cannot be used")?;
        for problem in &self.problems {
            write!(f, "\n  {}", self.text.name())?;
            if let Some((line, column)) = self.position(problem) {
                write!(f, ":{line}:{column}")?;
            }
            write!(f, ": {problem}")?;
            if let Some(help) = &problem.help {
                write!(f, " ({help})")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// Problems of values, collected section by section; their places are looked up in the end.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    /// Notes a problem of a key; finish with `help` or `done`.
    pub(crate) fn add(&mut self, key: impl Into<String>, message: impl Into<String>) -> Noted<'_> {
        self.0.push(Problem { key: Some(key.into()), ..Problem::at(None, message) });
        Noted(self)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}

/// A problem that was just noted.
#[must_use = "add help or say done"]
pub(crate) struct Noted<'a>(&'a mut Problems);

impl Noted<'_> {
    pub(crate) fn help(self, help: impl Into<String>) {
        if let Some(problem) = self.0.0.last_mut() {
            problem.help = Some(help.into());
        }
    }

    pub(crate) fn done(self) {}
}

/// Notes a problem if a number is too small.
pub(crate) fn at_least(problems: &mut Problems, key: &'static str, value: u64, least: u64) {
    if value < least {
        problems.add(key, format!("{value} is too little; at least {least}")).done();
    }
}
