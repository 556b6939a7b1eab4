//! Matching URIs against URI templates (RFC 6570, levels 1 to 3), read conservatively.

/// A parsed template.
#[derive(Debug, Clone)]
pub struct UriTemplate {
    literals: usize,
}

impl UriTemplate {
    /// Parses a template; none if it uses what cannot be matched safely.
    pub fn parse(_template: &str) -> Option<Self> {
        None
    }

    /// How many literal characters it has.
    pub fn literals(&self) -> usize {
        self.literals
    }

    /// Whether it covers this URI.
    pub fn matches(&self, _uri: &str) -> bool {
        false
    }
}
