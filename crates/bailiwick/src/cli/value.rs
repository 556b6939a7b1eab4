//! Values of headers and variables on the command line: `NAME=plain:TEXT`, `NAME=env:VARIABLE`,
//! `NAME=file:PATH`. The last two are secret. A bare text is refused, since it is too easily a secret, and
//! arguments can be read by every process of the machine.

use bailiwick_console::wire::{Value, ValueKind};

use super::environment::variable;
use super::failure::Failure;

/// A name, and where its value is.
#[derive(Debug, Clone)]
pub(super) struct Assignment {
    name: String,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    Plain(String),
    Env(String),
    File(String),
}

/// Reads the argument.
pub(super) fn parse(text: &str) -> Result<Assignment, String> {
    let wrong = || {
        "write NAME=env:VARIABLE or NAME=file:PATH for a secret, NAME=plain:TEXT for what everyone may see"
            .to_owned()
    };
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(wrong)?;
    let (kind, rest) = value.split_once(':').ok_or_else(wrong)?;
    let source = match kind {
        "plain" => Source::Plain(rest.to_owned()),
        "env" if !rest.is_empty() => Source::Env(rest.to_owned()),
        "file" if !rest.is_empty() => Source::File(rest.to_owned()),
        _ => return Err(wrong()),
    };
    Ok(Assignment { name: name.to_owned(), source })
}

impl Assignment {
    /// The name, and the value as it goes to the gateway.
    pub(super) fn resolve(self) -> Result<(String, Value), Failure> {
        let (kind, value) = match self.source {
            Source::Plain(text) => (ValueKind::Plain, text),
            Source::Env(name) => {
                let value = variable(&name)?;
                let missing = || Failure::other(format!("the variable {name} is not set"));
                (ValueKind::Secret, value.ok_or_else(missing)?)
            }
            Source::File(path) => {
                let read = std::fs::read_to_string(&path);
                let text = read.map_err(|error| Failure::other(format!("{path}: {error}")))?;
                (ValueKind::Secret, text.trim_end_matches(['\r', '\n']).to_owned())
            }
        };
        Ok((self.name, Value { kind, value: Some(value) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_value_is_refused_since_it_may_be_a_secret() {
        for (text, good) in [
            ("Authorization=env:CRM_TOKEN", true),
            ("Authorization=file:/run/secrets/crm", true),
            ("X-Tenant=plain:acme", true),
            ("X-Empty=plain:", true),
            ("Authorization=Bearer abc", false),
            ("Authorization", false),
            ("=plain:x", false),
            ("A=env:", false),
            ("A=secret:x", false),
        ] {
            assert_eq!(parse(text).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn a_secret_from_a_file_loses_its_line_end_only() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), " token \r\n").unwrap();
        let assignment = parse(&format!("A=file:{}", file.path().display())).unwrap();
        let (name, value) = assignment.resolve().unwrap();
        assert_eq!(
            (name.as_str(), value.kind, value.value.as_deref()),
            ("A", ValueKind::Secret, Some(" token "))
        );
    }
}
