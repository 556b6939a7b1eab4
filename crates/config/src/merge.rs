//! The file and the environment, laid over each other as one document, so that a problem of a variable
//! is shown like one of the file: the variables stand as lines after the file's text.

use std::ffi::OsString;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Deserializer};

use crate::problem::{ConfigError, Problem, Problems};
use crate::schema::{Kind, keys};
use crate::settings::SettingsFile;

/// The settings file as read: its name for messages, and its text.
#[derive(Clone)]
pub struct Source {
    /// What messages call it: its path.
    pub name: String,
    /// Its text. May hold secrets.
    pub text: String,
}

/// The document of file and environment.
pub(crate) struct Document {
    name: String,
    text: String,
    file_len: usize,
    variables: Vec<Variable>,
}

struct Variable {
    section: String,
    key: String,
    kind: Kind,
    value: String,
    span: Range<usize>,
}

const PREFIX: &str = "BAILIWICK_";

impl Document {
    pub(crate) fn new(
        file: Option<Source>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let Source { name, text } =
            file.unwrap_or_else(|| Source { name: "environment".to_owned(), text: String::new() });
        let file_len = text.len();
        let mut document = Self { name, text, file_len, variables: Vec::new() };
        let mut problems = Vec::new();
        let known = keys();
        let mut named: Vec<_> = environment.into_iter().filter_map(ours).collect();
        named.sort();
        for (name, value) in named {
            if let Err(problem) = document.add(&known, &name, value) {
                problems.push(problem);
            }
        }
        if problems.is_empty() { Ok(document) } else { Err(document.error(problems)) }
    }

    /// Adds a variable as a line of the document.
    fn add(&mut self, known: &[(String, String, Kind)], name: &str, value: OsString) -> Result<(), Problem> {
        self.text.push('\n');
        let start = self.text.len();
        self.text.push_str(name);
        let span = start..self.text.len();
        let (section, key) = name[PREFIX.len()..].split_once("__").unwrap_or_default();
        let (section, key) = (section.to_ascii_lowercase(), key.to_ascii_lowercase());
        let Some(kind) = known.iter().find(|(s, k, _)| (s, k) == (&section, &key)).map(|(_, _, kind)| *kind)
        else {
            let mut problem = Problem::at(Some(span), format!("{name}: there is no setting {section}.{key}"));
            problem.help = Some(alternatives(known, &section));
            return Err(problem);
        };
        let Ok(value) = value.into_string() else {
            return Err(Problem::at(Some(span), format!("{name}: the value is not UTF-8")));
        };
        let shown = if is_secret(&key) { "(secret)" } else { value.as_str() };
        let line = format!(" = {}", shown.escape_debug());
        self.text.push_str(&line);
        self.variables.push(Variable { section, key, kind, value, span });
        Ok(())
    }

    /// File and environment as one table whose values know their places.
    pub(crate) fn merge(&self) -> Result<Spanned<DeTable<'_>>, ConfigError> {
        let file = self.text.get(..self.file_len).unwrap_or_default();
        let mut table = DeTable::parse(file).map_err(|error| self.toml_error(&error))?;
        for variable in &self.variables {
            // A secret given by the environment replaces the file's, in whichever of its two forms.
            if let Some(DeValue::Table(section)) =
                table.get_mut().get_mut(variable.section.as_str()).map(Spanned::get_mut)
            {
                section.remove(other_form(&variable.key).as_str());
            }
        }
        for variable in &self.variables {
            let value = variable.value().map_err(|problem| self.error(vec![problem]))?;
            let section = table
                .get_mut()
                .entry(Spanned::new(variable.span.clone(), variable.section.as_str().into()))
                .or_insert_with(|| Spanned::new(variable.span.clone(), DeValue::Table(DeTable::new())));
            if let DeValue::Table(section) = section.get_mut() {
                let key = Spanned::new(variable.span.clone(), variable.key.as_str().into());
                section.remove(variable.key.as_str());
                section.insert(key, Spanned::new(variable.span.clone(), value));
            }
        }
        Ok(table)
    }

    pub(crate) fn read(&self, table: Spanned<DeTable<'_>>) -> Result<SettingsFile, ConfigError> {
        SettingsFile::deserialize(Deserializer::from(table)).map_err(|error| self.toml_error(&error))
    }

    /// Gives each problem its place.
    pub(crate) fn explain(&self, problems: Problems, table: &Spanned<DeTable<'_>>) -> ConfigError {
        let mut problems = problems.into_vec();
        for problem in &mut problems {
            let place = problem.key.as_deref().and_then(|key| place(table.get_ref(), key));
            problem.span = place.map(Into::into);
        }
        self.error(problems)
    }

    fn toml_error(&self, error: &toml::de::Error) -> ConfigError {
        self.error(vec![Problem::at(error.span(), error.message())])
    }

    fn error(&self, problems: Vec<Problem>) -> ConfigError {
        ConfigError::new(&self.name, masked(&self.text), problems)
    }
}

impl Variable {
    fn value(&self) -> Result<DeValue<'_>, Problem> {
        let text = || Ok(DeValue::String(self.value.as_str().into()));
        let literal = || {
            DeValue::parse(self.value.trim()).map(Spanned::into_inner).map_err(|_| {
                let message = format!("{}.{}: not a TOML value", self.section, self.key);
                Problem::at(Some(self.span.clone()), message)
            })
        };
        match self.kind {
            Kind::Text => text(),
            Kind::Literal => literal(),
            Kind::List if self.value.trim_start().starts_with('[') => {
                literal().map(|value| with_span(value, &self.span))
            }
            Kind::List => Ok(DeValue::Array(
                self.value
                    .split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty())
                    .map(|item| Spanned::new(self.span.clone(), DeValue::String(item.into())))
                    .collect(),
            )),
        }
    }
}

/// A variable of ours: `BAILIWICK_SECTION__KEY`. Names without the two underscores belong to the CLI.
fn ours((name, value): (OsString, OsString)) -> Option<(String, OsString)> {
    let name = name.into_string().ok()?;
    name.strip_prefix(PREFIX)?.contains("__").then_some((name, value))
}

/// `url` for `url_file` and the reverse.
fn other_form(key: &str) -> String {
    key.strip_suffix("_file").map_or_else(|| format!("{key}_file"), str::to_owned)
}

fn alternatives(known: &[(String, String, Kind)], section: &str) -> String {
    let keys: Vec<_> = known.iter().filter(|(s, ..)| s == section).map(|(_, key, _)| key.as_str()).collect();
    if keys.is_empty() {
        let mut sections: Vec<_> = known.iter().map(|(s, ..)| s.as_str()).collect();
        sections.dedup();
        return format!("the sections are {}", sections.join(", "));
    }
    format!("the keys of {section} are {}", keys.join(", "))
}

/// The elements of a list out of a variable stand where the variable stands.
fn with_span<'a>(value: DeValue<'a>, span: &Range<usize>) -> DeValue<'a> {
    match value {
        DeValue::Array(items) => DeValue::Array(
            items
                .into_iter()
                .map(|item| Spanned::new(span.clone(), item.into_inner()))
                .collect::<DeArray<'a>>(),
        ),
        other => other,
    }
}

/// Where `section.key` has its value; if it is not written anywhere, where the section begins.
fn place(table: &DeTable<'_>, key: &str) -> Option<Range<usize>> {
    let (section, key) = key.split_once('.')?;
    let (heading, section) = table.get_key_value(section)?;
    let value = section.get_ref().as_table().and_then(|section| section.get(key));
    Some(value.map_or_else(|| heading.span(), Spanned::span))
}

fn is_secret(key: &str) -> bool {
    matches!(key, "url" | "proxy")
}

/// The text with what follows `url =` and `proxy =` starred out, byte for byte, so that a message that
/// shows the surroundings of a problem never shows a database's password.
fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside_long_secret: Option<&str> = None;
    for line in text.split_inclusive('\n') {
        if let Some(quotes) = inside_long_secret {
            out.push_str(&stars(line));
            if line.contains(quotes) {
                inside_long_secret = None;
            }
            continue;
        }
        match secret_start(line) {
            None => out.push_str(line),
            Some(at) => {
                let (shown, hidden) = line.split_at(at);
                out.push_str(shown);
                out.push_str(&stars(hidden));
                inside_long_secret =
                    ["\"\"\"", "'''"].into_iter().find(|quotes| hidden.matches(quotes).count() == 1);
            }
        }
    }
    out
}

/// Where a line's secret value begins: after the `=` of a key `url` or `proxy`, dotted or in an inline
/// table as well.
fn secret_start(line: &str) -> Option<usize> {
    line.match_indices('=').map(|(at, _)| at).find_map(|at| {
        let key = line.get(..at)?.trim_end().trim_end_matches(['"', '\'']);
        let word = key.rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).next()?;
        is_secret(word).then_some(at + 1)
    })
}

fn stars(text: &str) -> String {
    text.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { char::from(byte) } else { '*' }).collect()
}
