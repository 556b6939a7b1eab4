//! The doors of the data path: which MCP endpoint a path names.

/// An MCP endpoint by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint<'a> {
    /// `/mcp`: everything that the caller may use.
    All,
    /// `/toolsets/{name}/mcp`: what a toolset selects.
    Toolset(&'a str),
    /// `/servers/{name}/mcp`: one server, names as it gives them.
    Server(&'a str),
}

impl<'a> Endpoint<'a> {
    /// The endpoint of a path; `None` if it is another room's. Nothing is decoded: a percent sign cannot
    /// stand in a name, so an encoded path names nothing.
    pub fn parse(path: &'a str) -> Option<Self> {
        if path == "/mcp" {
            return Some(Self::All);
        }
        let (kind, rest) = path.strip_prefix('/')?.split_once('/')?;
        let name = rest.strip_suffix("/mcp").filter(|name| !name.is_empty() && !name.contains('/'))?;
        match kind {
            "servers" => Some(Self::Server(name)),
            "toolsets" => Some(Self::Toolset(name)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_three_forms_are_endpoints() {
        for (path, endpoint) in [
            ("/mcp", Some(Endpoint::All)),
            ("/servers/files/mcp", Some(Endpoint::Server("files"))),
            ("/toolsets/daily/mcp", Some(Endpoint::Toolset("daily"))),
            ("/servers//mcp", None),
            ("/servers/a/b/mcp", None),
            ("/servers/files", None),
            ("/servers/files/mcp/", None),
            ("/mcp/", None),
            ("/api/v1/mcp", None),
            ("", None),
        ] {
            assert_eq!(Endpoint::parse(path), endpoint, "{path}");
        }
    }
}
