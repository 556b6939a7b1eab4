//! One definition: its name, its hash, its annotations; the rest stays the bytes that the server sent.

use aws_lc_rs::digest::{SHA256, digest};
use bailiwick_mcp::Raw;
use bailiwick_mcp::headers::ParamHeaders;
use bailiwick_model::definition::{Definition, DefinitionHash, DefinitionKind};

use crate::health::clean;

/// The longest name of a tool or prompt, and the longest URI, in bytes.
const LONGEST: usize = 2_048;

/// The word for a kind in a sentence.
pub(super) fn word(kind: DefinitionKind) -> &'static str {
    match kind {
        DefinitionKind::Tool => "tool",
        DefinitionKind::Prompt => "prompt",
        DefinitionKind::Resource => "resource",
        DefinitionKind::ResourceTemplate => "resource template",
    }
}

/// The definition in a list's item, or why it is dropped. Annotated headers matter in the modern era only.
pub(super) fn read(kind: DefinitionKind, item: Raw<'_>, modern: bool) -> Result<Definition, String> {
    let object = item.object().map_err(|_| "it is no object, or names a member twice".to_owned())?;
    let named = match kind {
        DefinitionKind::Tool | DefinitionKind::Prompt => "name",
        DefinitionKind::Resource => "uri",
        DefinitionKind::ResourceTemplate => "uriTemplate",
    };
    let key = object.get(named).and_then(|key| key.string()).filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| format!("it has no {named}"))?.into_owned();
    let shown = clean(&key);
    if key.len() > LONGEST {
        return Err(format!("its {named} is longer than {LONGEST} bytes"));
    }
    if key.chars().any(char::is_control) {
        return Err(format!("its {named} {shown:?} has control characters"));
    }
    let raw =
        serde_json::from_str(item.as_str()).map_err(|_| format!("{shown:?} is not well-formed JSON"))?;
    let schema = object.get("inputSchema");
    if kind == DefinitionKind::Tool {
        let schema = schema
            .filter(|schema| schema.is_object())
            .ok_or_else(|| format!("{shown:?} has no inputSchema"))?;
        if modern && let Err(why) = ParamHeaders::from_schema(schema.as_str()) {
            return Err(format!("{shown:?}: {why}"));
        }
    }
    let annotations = object.get("annotations").filter(|_| kind == DefinitionKind::Tool);
    Ok(Definition {
        kind,
        key,
        raw,
        hash: hash(item.as_bytes()),
        // Hints of unknown shape are no hints: the defaults assume the worst.
        annotations: annotations
            .and_then(|hints| serde_json::from_str(hints.as_str()).ok())
            .unwrap_or_default(),
    })
}

fn hash(raw: &[u8]) -> DefinitionHash {
    let mut bytes = [0; 32];
    for (slot, byte) in bytes.iter_mut().zip(digest(&SHA256, raw).as_ref()) {
        *slot = *byte;
    }
    DefinitionHash(bytes)
}

#[cfg(test)]
mod tests {
    use bailiwick_model::definition::Annotations;

    use super::*;

    fn tool(json: &str) -> Result<Definition, String> {
        read(DefinitionKind::Tool, Raw::new(json), true)
    }

    #[test]
    fn a_definition_stays_byte_for_byte() {
        let json = r#"{ "name":"a\u0062", "inputSchema":{"type":"object"},  "x-new": [1, 2],"annotations":{"readOnlyHint":true}}"#;
        let definition = tool(json).unwrap();
        assert_eq!((definition.key.as_str(), definition.raw.get()), ("ab", json));
        assert!(definition.annotations.read_only_hint && definition.annotations.destructive_hint);
        assert_ne!(definition.hash, tool(&json.replace("1, 2", "1,2")).unwrap().hash);
    }

    #[test]
    fn bad_definitions_are_dropped_with_a_sentence_that_shows_no_control_characters() {
        for (json, why) in [
            ("7", "no object"),
            ("{}", "no name"),
            (r#"{"name":""}"#, "no name"),
            (r#"{"name":3,"inputSchema":{}}"#, "no name"),
            (r#"{"name":"a","name":"b","inputSchema":{}}"#, "twice"),
            (r#"{"name":"a\u001b[2Jb","inputSchema":{}}"#, "control characters"),
            (r#"{"name":"a"}"#, "no inputSchema"),
            (r#"{"name":"a","inputSchema":{"x":tru}}"#, "well-formed"),
            (
                r#"{"name":"a","inputSchema":{"properties":{"p":{"type":"object","x-mcp-header":"P"}}}}"#,
                "x-mcp-header",
            ),
        ] {
            let told = tool(json).unwrap_err();
            assert!(told.contains(why) && !told.chars().any(char::is_control), "{json}: {told}");
        }
    }

    #[test]
    fn hints_of_unknown_shape_count_as_the_worst() {
        let definition =
            tool(r#"{"name":"a","inputSchema":{},"annotations":{"readOnlyHint":"yes"}}"#).unwrap();
        assert_eq!(definition.annotations, Annotations::default());
    }
}
