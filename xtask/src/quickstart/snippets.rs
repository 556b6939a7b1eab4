//! What a newcomer pastes into their MCP client. The key stands in an environment variable, not in a file.

use serde_json::{Value, json};

const VARIABLE: &str = "BAILIWICK_AGENT_KEY";

/// The whole text.
pub(super) fn text(url: &str, key: &str) -> String {
    let server = |reference: &str, kind: Option<&str>| {
        let mut server = json!({ "url": url, "headers": { "Authorization": format!("Bearer {reference}") } });
        if let Some(kind) = kind {
            server["type"] = json!(kind);
        }
        server
    };
    let bare = format!("${{{VARIABLE}}}");
    let env = format!("${{env:{VARIABLE}}}");
    let claude = json!({ "mcpServers": { "bailiwick": server(&bare, Some("http")) } });
    let cursor = json!({ "mcpServers": { "bailiwick": server(&env, None) } });
    let vscode = json!({ "servers": { "bailiwick": server(&env, Some("http")) } });
    let start = "In the shell from which you start your client (the key is shown only here):";
    let parts = [
        format!("{start}\n\n  export {VARIABLE}={key}"),
        part("Claude Code", ".mcp.json in your project", &claude),
        part("Cursor", ".cursor/mcp.json in your project, or ~/.cursor/mcp.json", &cursor),
        part("VS Code", ".vscode/mcp.json in your project", &vscode),
    ];
    parts.join("\n\n")
}

fn part(client: &str, file: &str, content: &Value) -> String {
    format!("{client}, {file}:\n\n{content:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_only_in_the_environment() {
        let text = text("http://127.0.0.1:7420/mcp", "bwk_secret");
        assert_eq!(text.matches("bwk_secret").count(), 1);
        assert!(text.contains("export BAILIWICK_AGENT_KEY=bwk_secret"));
        assert!(text.contains(r#""Authorization": "Bearer ${BAILIWICK_AGENT_KEY}""#));
        assert_eq!(text.matches(r#""Authorization": "Bearer ${env:BAILIWICK_AGENT_KEY}""#).count(), 2);
    }
}
