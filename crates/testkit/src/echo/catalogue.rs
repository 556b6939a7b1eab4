//! A catalogue as real servers have them: names, two sentences of description, and schemas of three to five properties.
//!
//! A definition is 300 to 600 bytes long; that of a hundred tools is what a large aggregate looks like on the wire.

use serde_json::{Value, json};

const THINGS: [&str; 20] = [
    "issue",
    "pull_request",
    "branch",
    "release",
    "repository",
    "ticket",
    "customer",
    "invoice",
    "document",
    "folder",
    "message",
    "channel",
    "calendar_event",
    "contact",
    "deployment",
    "incident",
    "dashboard",
    "metric",
    "pipeline",
    "secret_reference",
];
const VERBS: [(&str, &str); 6] = [
    (
        "search",
        "Finds every {thing} that matches a query and returns the best matches first. Results are paged.",
    ),
    (
        "get",
        "Returns one {thing} with all of its fields. Fails when it does not exist or is not visible to the caller.",
    ),
    (
        "create",
        "Creates a {thing} from the given fields and returns its id. Nothing is created when a field is invalid.",
    ),
    (
        "update",
        "Changes the given fields of a {thing} and leaves all others as they are. Returns the new state.",
    ),
    (
        "archive",
        "Archives a {thing}, so that it is no longer found by default. It can be restored within thirty days.",
    ),
    (
        "comment_on",
        "Adds a comment to a {thing} in the name of the caller. Mentions of people notify them at once.",
    ),
];

/// The opening of a `tools/list` result, up to the end of the array: `{"tools":[…]`.
pub(super) fn tools(count: usize) -> String {
    let tools: Vec<String> =
        own().into_iter().chain(generated()).take(count.max(2)).map(|tool| tool.to_string()).collect();
    format!(r#"{{"tools":[{}]"#, tools.join(","))
}

/// Whether `name` is one of the generated tools.
pub(super) fn knows(name: &str) -> bool {
    VERBS.iter().any(|(verb, _)| {
        name.strip_prefix(verb)
            .and_then(|rest| rest.strip_prefix('_'))
            .is_some_and(|thing| THINGS.contains(&thing))
    })
}

fn own() -> [Value; 2] {
    let text = json!({ "type": "string", "description": "The text that comes back" });
    [
        json!({
            "name": "echo",
            "description": "Returns the text that it is given, unchanged.",
            "inputSchema": { "type": "object", "properties": { "text": text }, "required": ["text"] },
            "annotations": { "readOnlyHint": true }
        }),
        json!({
            "name": "blob",
            "description": "Returns a text of one hundred thousand bytes.",
            "inputSchema": { "type": "object", "properties": {} },
            "annotations": { "readOnlyHint": true }
        }),
    ]
}

fn generated() -> impl Iterator<Item = Value> {
    THINGS.iter().flat_map(|thing| VERBS.iter().map(move |verb| tool(thing, *verb)))
}

fn tool(thing: &str, (verb, description): (&str, &str)) -> Value {
    let spoken = thing.replace('_', " ");
    json!({
        "name": format!("{verb}_{thing}"),
        "description": description.replace("{thing}", &spoken),
        "inputSchema": {
            "type": "object",
            "properties": {
                "id": { "type": "string", "description": format!("The id of the {spoken}") },
                "fields": { "type": "array", "items": { "type": "string" } },
                "limit": { "type": "integer", "minimum": 1, "maximum": 100, "default": 20 }
            },
            "required": ["id"]
        },
        "annotations": { "readOnlyHint": matches!(verb, "search" | "get") }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_tools_are_as_long_as_real_ones() {
        let list: Value = serde_json::from_str(&format!("{}}}", tools(100))).unwrap();
        let tools = list["tools"].as_array().unwrap();
        assert_eq!(tools.len(), 100);
        for tool in &tools[2..] {
            let length = tool.to_string().len();
            assert!((300..=600).contains(&length), "{length}: {tool}");
            assert!(knows(tool["name"].as_str().unwrap()));
        }
    }
}
