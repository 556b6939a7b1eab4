//! The one request that a connection sends again and again, with an id and a text of fixed width that are patched in place.

use std::io::Write as _;
use std::ops::Range;
use std::str::FromStr;

use memchr::memmem;

use super::Settings;

/// Which revision is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// 2025-11-25, in a session where the server gives one.
    Legacy,
    /// 2026-07-28.
    Modern,
}

impl FromStr for Era {
    type Err = &'static str;

    fn from_str(version: &str) -> Result<Self, Self::Err> {
        match version {
            "2025-11-25" => Ok(Self::Legacy),
            "2026-07-28" => Ok(Self::Modern),
            _ => Err("2025-11-25 and 2026-07-28 are spoken"),
        }
    }
}

impl Era {
    fn version(self) -> &'static str {
        match self {
            Self::Legacy => "2025-11-25",
            Self::Modern => "2026-07-28",
        }
    }
}

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `tools/call` of a tool that returns its `text`.
    Echo,
    /// `tools/call` of a tool that returns 100 kB.
    Blob,
    /// `tools/list`.
    List,
}

impl FromStr for Operation {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "echo" => Ok(Self::Echo),
            "blob" => Ok(Self::Blob),
            "list" => Ok(Self::List),
            _ => Err("echo, blob and list are possible"),
        }
    }
}

/// Ids have ten digits, so that the request's length never changes.
const FIRST_ID: u64 = 1_000_000_000;
const NO_TEXT: &str = "call-0000-0000-000000000000";

/// A request, ready to be sent.
#[derive(Debug)]
pub(super) struct Request {
    bytes: Vec<u8>,
    id_at: Range<usize>,
    text_at: Option<Range<usize>>,
    operation: Operation,
    run: u32,
    connection: usize,
    id: u64,
    text: String,
}

impl Request {
    /// `run` makes texts of several runs against one ledger differ.
    pub(super) fn new(settings: &Settings, session: Option<&str>, run: u32, connection: usize) -> Self {
        let body = body(settings);
        let mut bytes = head(settings, session, body.len());
        bytes.extend_from_slice(body.as_bytes());
        let find = |needle: &str| memmem::rfind(&bytes, needle.as_bytes()).map(|at| at..at + needle.len());
        let id_at = find(&FIRST_ID.to_string()).expect("the body holds the id");
        let text_at = find(NO_TEXT);
        Self {
            bytes,
            id_at,
            text_at,
            operation: settings.operation,
            run,
            connection,
            id: FIRST_ID,
            text: String::new(),
        }
    }

    /// Makes it the next request of its connection.
    pub(super) fn next(&mut self) {
        self.id += 1;
        // A number of ten digits for nine billion calls; more than a connection makes.
        write!(&mut self.bytes[self.id_at.clone()], "{}", self.id).expect("ids have ten digits");
        let Some(text_at) = self.text_at.clone() else { return };
        let (run, connection) = (self.run & 0xffff, self.connection & 0xffff);
        self.text.clear();
        std::fmt::Write::write_fmt(
            &mut self.text,
            format_args!("call-{run:04x}-{connection:04x}-{:012}", self.id),
        )
        .expect("a String takes everything");
        self.bytes[text_at].copy_from_slice(self.text.as_bytes());
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether a body answers this very request.
    pub(super) fn answered_by(&self, body: &[u8]) -> bool {
        self.holds_id(body)
            && match self.operation {
                Operation::Echo => memmem::find(body, self.text.as_bytes()).is_some(),
                Operation::Blob => body.len() > crate::echo::BLOB,
                Operation::List => memmem::find(body, b"\"tools\"").is_some(),
            }
    }

    fn holds_id(&self, body: &[u8]) -> bool {
        let id = &self.bytes[self.id_at.clone()];
        // The envelope's id stands first or last; between may be 100 kB of content.
        let (first, last) = (&body[..body.len().min(128)], &body[body.len().saturating_sub(128)..]);
        [first, last].into_iter().any(|part| {
            memmem::find_iter(part, b"\"id\"").any(|at| {
                let rest = part[at + 4..].trim_ascii_start();
                rest.strip_prefix(b":").is_some_and(|rest| rest.trim_ascii_start().starts_with(id))
            })
        })
    }
}

fn body(settings: &Settings) -> String {
    let meta = match settings.era {
        Era::Legacy => String::new(),
        Era::Modern => format!(
            r#""_meta":{{"io.modelcontextprotocol/protocolVersion":"{}","io.modelcontextprotocol/clientCapabilities":{{}},"io.modelcontextprotocol/clientInfo":{{"name":"load","version":"1.0.0"}}}}"#,
            settings.era.version()
        ),
    };
    let comma = if meta.is_empty() { "" } else { "," };
    let tool = &settings.tool;
    let (method, params) = match settings.operation {
        Operation::Echo => {
            ("tools/call", format!(r#""name":"{tool}","arguments":{{"text":"{NO_TEXT}"}}{comma}{meta}"#))
        }
        Operation::Blob => ("tools/call", format!(r#""name":"{tool}","arguments":{{}}{comma}{meta}"#)),
        Operation::List => ("tools/list", meta),
    };
    format!(r#"{{"jsonrpc":"2.0","id":{FIRST_ID},"method":"{method}","params":{{{params}}}}}"#)
}

fn head(settings: &Settings, session: Option<&str>, length: usize) -> Vec<u8> {
    let mut head = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n",
        settings.path, settings.host
    );
    head += &format!("MCP-Protocol-Version: {}\r\n", settings.era.version());
    if settings.era == Era::Modern {
        head += match settings.operation {
            Operation::List => "Mcp-Method: tools/list\r\n",
            Operation::Echo | Operation::Blob => "Mcp-Method: tools/call\r\n",
        };
        if settings.operation != Operation::List {
            head += &format!("Mcp-Name: {}\r\n", settings.tool);
        }
    }
    if let Some(session) = session {
        head += &format!("Mcp-Session-Id: {session}\r\n");
    }
    for line in &settings.headers {
        head += &format!("{line}\r\n");
    }
    head += &format!("Content-Length: {length}\r\n\r\n");
    head.into_bytes()
}

/// A message of the legacy handshake.
pub(super) fn handshake(settings: &Settings, session: Option<&str>, body: &str) -> Vec<u8> {
    let mut request = head(settings, session, body.len());
    request.extend_from_slice(body.as_bytes());
    request
}

pub(super) const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"load","version":"1.0.0"}}}"#;
pub(super) const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
