//! `x-mcp-header`: arguments of a tool that are mirrored into `Mcp-Param-…` headers.
//!
//! The annotations come from a server's schema, so they are checked before they become header names; a tool that breaks the
//! rules of "Custom Headers from Tool Parameters" has to be dropped from lists.

use std::borrow::Cow;

use http::HeaderName;
use serde_json::{Map, Value};

use super::MCP_PARAM_PREFIX;
use crate::json::{Malformed, Raw};

/// Largest integer that a header may mirror: 2^53 - 1.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

/// Most parameters that one tool may mirror; a hostile schema must not make calls slow or headers large.
const MAX_PARAMS: usize = 64;

/// Why a tool's annotations are invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAnnotation {
    /// The schema is no JSON object.
    #[error("the inputSchema is no JSON object")]
    Schema,
    /// The annotation is no header token.
    #[error("an x-mcp-header is not a header name")]
    Name,
    /// Two annotations are the same but for case.
    #[error("x-mcp-header {0:?} is used twice")]
    Duplicate(HeaderName),
    /// The annotated parameter is no integer, string or boolean.
    #[error("x-mcp-header {0:?} is on a parameter that is no integer, string or boolean")]
    Type(HeaderName),
    /// More annotations than the gateway takes.
    #[error("more than {MAX_PARAMS} parameters have an x-mcp-header")]
    TooMany,
    /// The annotation is not reachable by `properties` alone.
    #[error("an x-mcp-header is outside of the properties chain")]
    Unreachable,
}

/// The type of an annotated parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    String,
    Boolean,
}

/// One annotated parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ParamHeader {
    pub(super) header: HeaderName,
    pub(super) kind: Kind,
    path: Vec<String>,
}

/// The annotated parameters of one tool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParamHeaders {
    pub(super) list: Vec<ParamHeader>,
}

impl ParamHeaders {
    /// Reads the annotations out of a tool's `inputSchema`.
    ///
    /// # Errors
    /// [`InvalidAnnotation`] if the tool has to be dropped.
    pub fn from_schema(schema: &str) -> Result<Self, InvalidAnnotation> {
        if !schema.contains("mcp-header") && !schema.contains("\\u") {
            return Ok(Self::default());
        }
        let root: Map<String, Value> = serde_json::from_str(schema).map_err(|_| InvalidAnnotation::Schema)?;
        let mut found = Self::default();
        found.walk(&root, Some(&[]))?;
        Ok(found)
    }

    /// Whether no parameter is annotated.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The header names, lower case.
    pub fn names(&self) -> impl Iterator<Item = &HeaderName> {
        self.list.iter().map(|param| &param.header)
    }

    /// The values that a call's arguments give, as plain text before encoding; absent and null ones are left out.
    ///
    /// # Errors
    /// [`Malformed`] if the arguments cannot be read.
    pub fn values<'a>(
        &self,
        arguments: Option<Raw<'a>>,
    ) -> Result<Vec<(&HeaderName, Cow<'a, str>)>, Malformed> {
        let mut values = Vec::with_capacity(self.list.len());
        for param in &self.list {
            if let Some(text) = param.argument(arguments)?.and_then(scalar_text) {
                values.push((&param.header, text));
            }
        }
        Ok(values)
    }

    /// Walks one schema object. `path` leads there if it is reachable by `properties` alone.
    // serde_json has bounded the depth already (128).
    fn walk(&mut self, schema: &Map<String, Value>, path: Option<&[&str]>) -> Result<(), InvalidAnnotation> {
        if let Some(annotation) = schema.get("x-mcp-header") {
            self.annotate(annotation, schema, path)?;
        }
        for (keyword, value) in schema {
            match (keyword.as_str(), value) {
                // Data, not schema.
                ("const" | "enum" | "default" | "examples" | "example" | "x-mcp-header", _) => {}
                ("properties", Value::Object(properties)) => {
                    for (name, property) in properties {
                        let path: Option<Vec<&str>> = path.map(|path| [path, &[name.as_str()]].concat());
                        self.walk_value(property, path.as_deref())?;
                    }
                }
                // Maps from names to schemas, none of which is reachable.
                (
                    "$defs" | "definitions" | "patternProperties" | "dependentSchemas",
                    Value::Object(schemas),
                ) => {
                    for schema in schemas.values() {
                        self.walk_value(schema, None)?;
                    }
                }
                (_, value) => self.walk_value(value, None)?,
            }
        }
        Ok(())
    }

    fn walk_value(&mut self, value: &Value, path: Option<&[&str]>) -> Result<(), InvalidAnnotation> {
        match value {
            Value::Object(schema) => self.walk(schema, path),
            Value::Array(items) => items.iter().try_for_each(|item| self.walk_value(item, None)),
            _ => Ok(()),
        }
    }

    fn annotate(
        &mut self,
        annotation: &Value,
        schema: &Map<String, Value>,
        path: Option<&[&str]>,
    ) -> Result<(), InvalidAnnotation> {
        let path = path.filter(|path| !path.is_empty()).ok_or(InvalidAnnotation::Unreachable)?;
        let name = annotation.as_str().filter(|name| !name.is_empty()).ok_or(InvalidAnnotation::Name)?;
        let header =
            HeaderName::try_from(format!("{MCP_PARAM_PREFIX}{name}")).map_err(|_| InvalidAnnotation::Name)?;
        let kind = match schema.get("type").and_then(Value::as_str) {
            Some("integer") => Kind::Integer,
            Some("string") => Kind::String,
            Some("boolean") => Kind::Boolean,
            _ => return Err(InvalidAnnotation::Type(header)),
        };
        if self.list.iter().any(|known| known.header == header) {
            return Err(InvalidAnnotation::Duplicate(header));
        }
        if self.list.len() == MAX_PARAMS {
            return Err(InvalidAnnotation::TooMany);
        }
        let path = path.iter().map(|&step| step.to_owned()).collect();
        self.list.push(ParamHeader { header, kind, path });
        Ok(())
    }
}

impl ParamHeader {
    /// The argument at the parameter's path; `None` if it is absent or null.
    pub(super) fn argument<'a>(&self, arguments: Option<Raw<'a>>) -> Result<Option<Raw<'a>>, Malformed> {
        let mut value = arguments;
        for step in &self.path {
            value = match value {
                Some(object) if object.is_object() => object.member(step)?,
                _ => return Ok(None),
            };
        }
        Ok(value.filter(|value| !value.is_null()))
    }
}

/// A string, boolean or safe integer as header text; `None` for anything else.
pub(super) fn scalar_text(value: Raw<'_>) -> Option<Cow<'_, str>> {
    if value.as_str().starts_with('"') {
        return value.string();
    }
    if value.boolean().is_some() {
        return Some(Cow::Borrowed(value.as_str()));
    }
    safe_integer(value.as_str()).map(|n| Cow::Owned(n.to_string()))
}

/// The integer that a JSON number means, whatever its form (`42`, `42.0`, `4.2e1`), within ±(2^53 - 1).
pub(super) fn safe_integer(number: &str) -> Option<i64> {
    crate::json::validate(number, 0).ok()?;
    let value: f64 = number.parse().ok()?;
    if value.fract() != 0.0 || value.abs() > MAX_SAFE {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "integral and within 2^53, checked above")]
    let integer = value as i64;
    Some(integer)
}
