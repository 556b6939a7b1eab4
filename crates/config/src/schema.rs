//! The JSON Schema of the settings file, for editors and for the reference page of the docs.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::settings::SettingsFile;

/// The JSON Schema (2020-12) of `bailiwick.toml`, with defaults and descriptions.
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema: Value = settings.into_generator().into_root_schema_for::<SettingsFile>().into();
    // Each key tells its own default.
    let sections = schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten();
    for section in sections.filter_map(|(_, section)| section.as_object_mut()) {
        section.remove("default");
    }
    schema
}

/// What kind of value a key wants; tells how an environment variable is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    List,
    /// A number or a truth value: what TOML makes of it.
    Literal,
}

/// All keys as (section, key, kind).
pub(crate) fn keys() -> Vec<(String, String, Kind)> {
    let schema = schema();
    let mut keys = Vec::new();
    for (section, schema) in properties(&schema) {
        for (key, schema) in properties(schema) {
            keys.push((section.clone(), key.clone(), kind(schema)));
        }
    }
    keys
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

fn kind(schema: &Value) -> Kind {
    let is = |wanted: &str| match schema.get("type") {
        Some(Value::String(one)) => one == wanted,
        Some(Value::Array(several)) => several.iter().any(|one| one == wanted),
        _ => false,
    };
    if is("array") {
        Kind::List
    } else if is("integer") || is("boolean") || is("number") {
        Kind::Literal
    } else {
        Kind::Text
    }
}
