//! The encoder.

/// An event to be written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outgoing<'a> {
    /// `id`.
    pub id: Option<&'a str>,
    /// `event`; `None` means `message`.
    pub event: Option<&'a str>,
    /// `retry` in milliseconds.
    pub retry: Option<u64>,
    /// `data`; line breaks make several lines. `Some` and empty gives an empty data line.
    pub data: Option<&'a [u8]>,
}

/// Appends an event with its closing empty line.
pub fn encode(event: &Outgoing<'_>, out: &mut Vec<u8>) {
    out.reserve(event.data.map_or(0, <[u8]>::len) + 64);
    if let Some(name) = event.event {
        field(out, b"event: ", name);
    }
    if let Some(id) = event.id {
        field(out, b"id: ", id);
    }
    if let Some(retry) = event.retry {
        field(out, b"retry: ", &retry.to_string());
    }
    if let Some(data) = event.data {
        lines(out, b"data: ", data);
    }
    out.push(b'\n');
}

/// Appends a comment, which is followed by an empty line so that intermediaries pass it on at once.
pub fn encode_comment(text: &str, out: &mut Vec<u8>) {
    lines(out, b": ", text.as_bytes());
    out.push(b'\n');
}

/// One line; characters that would end it are left out, as is NUL, which would make a reader ignore an id.
fn field(out: &mut Vec<u8>, name: &[u8], value: &str) {
    out.extend_from_slice(name);
    out.extend(value.bytes().filter(|b| !matches!(b, b'\n' | b'\r' | 0)));
    out.push(b'\n');
}

/// One line for each line of `text`, which may end in LF, CR or CRLF.
fn lines(out: &mut Vec<u8>, name: &[u8], mut text: &[u8]) {
    loop {
        out.extend_from_slice(name);
        let end = memchr::memchr2(b'\n', b'\r', text);
        out.extend_from_slice(&text[..end.unwrap_or(text.len())]);
        out.push(b'\n');
        text = match end.map(|end| &text[end..]) {
            None => return,
            Some([b'\r', b'\n', rest @ ..] | [_, rest @ ..]) => rest,
            Some([]) => return,
        };
    }
}
