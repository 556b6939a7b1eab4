//! The heads of HTTP/1.1 messages: a request's as it is written, an answer's as it is read (RFC 9112).

use std::io;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::LazyLock;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};

use super::chunks::Chunks;

/// Headers in one answer.
const MAX_HEADERS: usize = 128;
/// The largest head of an answer, in bytes.
const MAX_HEAD: usize = 64 * 1024;

static PARSER: LazyLock<httparse::ParserConfig> = LazyLock::new(httparse::ParserConfig::default);

/// How an answer's body ends.
#[derive(Debug)]
pub(super) enum Framing {
    /// After so many bytes more.
    Length(u64),
    /// With its last chunk.
    Chunked(Chunks),
    /// With the connection.
    ToEnd,
}

/// An answer's head.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) response: Response<()>,
    pub(super) framing: Framing,
    /// Whether the connection may carry another request after this answer.
    pub(super) keeps: bool,
}

/// A request's head: for `http` without a proxy, so in origin form (RFC 9112 section 3.2.1).
pub(super) fn write(request: &Request<Bytes>) -> BytesMut {
    let (uri, headers, length) = (request.uri(), request.headers(), request.body().len());
    let mut head = BytesMut::with_capacity(512);
    head.put_slice(request.method().as_str().as_bytes());
    head.put_u8(b' ');
    head.put_slice(uri.path_and_query().map_or("/", |path| path.as_str()).as_bytes());
    head.put_slice(b" HTTP/1.1\r\n");
    if let Some(authority) = uri.authority()
        && !headers.contains_key(HOST)
    {
        let default = authority.port_u16() == Some(80);
        line(&mut head, &HOST, if default { authority.host() } else { authority.as_str() }.as_bytes());
    }
    for (name, value) in headers {
        line(&mut head, name, value.as_bytes());
    }
    let bodiless = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if length > 0 || !bodiless {
        let value = HeaderValue::from(length);
        line(&mut head, &CONTENT_LENGTH, value.as_bytes());
    }
    head.put_slice(b"\r\n");
    head
}

fn line(head: &mut BytesMut, name: &HeaderName, value: &[u8]) {
    head.put_slice(name.as_str().as_bytes());
    head.put_slice(b": ");
    head.put_slice(value);
    head.put_slice(b"\r\n");
}

/// Takes the head of the answer to a request of this method from the front of what was read; none if it is not whole.
///
/// # Errors
/// If it is no HTTP/1 answer, too large, or ambiguous about where its body ends (RFC 9112 section 6.3).
pub(super) fn read(from: &mut BytesMut, method: &Method) -> io::Result<Option<Head>> {
    loop {
        let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
        let mut parsed = httparse::Response::new(&mut []);
        let length = match PARSER
            .parse_response_with_uninit_headers(&mut parsed, from, &mut headers)
            .map_err(invalid)?
        {
            httparse::Status::Complete(length) => length,
            httparse::Status::Partial if from.len() > MAX_HEAD => {
                return Err(invalid("its head is too large"));
            }
            httparse::Status::Partial => return Ok(None),
        };
        let code = parsed.code.and_then(|code| StatusCode::from_u16(code).ok());
        let status = code.ok_or_else(|| invalid("it has no status"))?;
        let newer = parsed.version == Some(1);
        let places: Vec<_> = parsed
            .headers
            .iter()
            .map(|header| (place(from, header.name.as_bytes()), place(from, header.value)))
            .collect();
        let bytes = from.split_to(length).freeze();
        if status.is_informational() {
            if status == StatusCode::SWITCHING_PROTOCOLS {
                return Err(invalid("it switches to another protocol"));
            }
            continue;
        }
        let headers = collect(&bytes, places)?;
        return judge(status, newer, headers, method).map(Some);
    }
}

/// Where a part of a buffer is in it.
fn place(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    start..start + part.len()
}

fn collect(bytes: &Bytes, places: Vec<(Range<usize>, Range<usize>)>) -> io::Result<HeaderMap> {
    let mut headers = HeaderMap::with_capacity(places.len());
    for (name, value) in places {
        let name = HeaderName::from_bytes(bytes.get(name).unwrap_or_default()).map_err(invalid)?;
        let value = HeaderValue::from_maybe_shared(bytes.slice(value)).map_err(invalid)?;
        headers.append(name, value);
    }
    Ok(headers)
}

fn judge(status: StatusCode, newer: bool, headers: HeaderMap, method: &Method) -> io::Result<Head> {
    let framing = framing(status, newer, &headers, method)?;
    let closes = headers.get_all(CONNECTION).iter().any(|value| {
        value
            .as_bytes()
            .split(|byte| *byte == b',')
            .any(|word| word.trim_ascii().eq_ignore_ascii_case(b"close"))
    });
    let keeps = newer && !closes && !matches!(framing, Framing::ToEnd);
    let mut response = Response::new(());
    *response.status_mut() = status;
    *response.version_mut() = if newer { Version::HTTP_11 } else { Version::HTTP_10 };
    *response.headers_mut() = headers;
    Ok(Head { response, framing, keeps })
}

fn framing(status: StatusCode, newer: bool, headers: &HeaderMap, method: &Method) -> io::Result<Framing> {
    let bare = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if bare || *method == Method::HEAD {
        return Ok(Framing::Length(0));
    }
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    match (codings.next(), codings.next(), lengths.next(), lengths.next()) {
        (None, _, None, _) => Ok(Framing::ToEnd),
        (None, _, Some(length), None) => digits(length.as_bytes()).map(Framing::Length),
        (Some(coding), None, None, _) if newer && coding.as_bytes().eq_ignore_ascii_case(b"chunked") => {
            Ok(Framing::Chunked(Chunks::default()))
        }
        _ => Err(invalid("where its body ends is ambiguous")),
    }
}

fn digits(text: &[u8]) -> io::Result<u64> {
    let digits = text.iter().all(u8::is_ascii_digit).then(|| std::str::from_utf8(text).ok()).flatten();
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| invalid("its length is malformed"))
}

pub(super) fn invalid(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> io::Result<Option<Head>> {
        read(&mut BytesMut::from(text), &Method::POST)
    }

    #[test]
    fn a_body_ends_where_the_head_says() {
        for (head, length, keeps) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n", Some(7), true),
            ("HTTP/1.1 200 \r\nContent-Length: 7\r\nConnection: a, Close\r\n\r\n", Some(7), false),
            ("HTTP/1.0 200 OK\r\ncontent-length: 7\r\n\r\n", Some(7), false),
            ("HTTP/1.1 204 No Content\r\n\r\n", Some(0), true),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\na: b\r\n\r\nHTTP/1.1 304 X\r\n\r\n",
                Some(0),
                true,
            ),
            ("HTTP/1.1 200 OK\r\n\r\n", None, false),
        ] {
            let head = answer(head).unwrap().unwrap();
            let found = match head.framing {
                Framing::Length(length) => Some(length),
                _ => None,
            };
            assert_eq!((found, head.keeps), (length, keeps), "{head:?}");
        }
        let chunked = answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n").unwrap().unwrap();
        assert!(chunked.keeps && matches!(chunked.framing, Framing::Chunked(_)));
    }

    #[test]
    fn an_ambiguous_or_broken_head_is_an_error() {
        for head in [
            "HTTP/1.1 200 OK\r\ncontent-length: 7\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 7\r\ncontent-length: 8\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 7\r\ncontent-length: 7\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: +7\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: \r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\n\r\n",
            "HTTP/1.1 200 OK\r\n folded: no\r\n\r\n",
            "HTTP/2.0 200 OK\r\n\r\n",
            "nonsense\r\n\r\n",
        ] {
            assert!(answer(head).is_err(), "{head:?}");
        }
        assert!(answer(&format!("HTTP/1.1 200 OK\r\na: {}", "b".repeat(MAX_HEAD))).is_err());
        assert!(answer("HTTP/1.1 200 OK\r\ncontent-le").unwrap().is_none());
    }

    #[test]
    fn what_follows_a_head_stays() {
        let mut bytes = BytesMut::from("HTTP/1.1 200 OK\r\nX-A: b\r\ncontent-length: 4\r\n\r\nbody");
        let head = read(&mut bytes, &Method::GET).unwrap().unwrap();
        assert_eq!((&bytes[..], head.response.headers()["x-a"].as_bytes()), (&b"body"[..], &b"b"[..]));
    }

    #[test]
    fn a_request_is_written_in_origin_form() {
        let post = Request::post("http://a.example:80/x?y=1").header("x-a", "b").body(Bytes::new()).unwrap();
        assert_eq!(
            write(&post),
            "POST /x?y=1 HTTP/1.1\r\nhost: a.example\r\nx-a: b\r\ncontent-length: 0\r\n\r\n"
        );
        let get = Request::get("http://[::1]:7420").body(Bytes::new()).unwrap();
        assert_eq!(write(&get), "GET / HTTP/1.1\r\nhost: [::1]:7420\r\n\r\n");
    }
}
