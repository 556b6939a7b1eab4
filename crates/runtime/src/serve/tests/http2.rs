//! HTTP/2 by prior knowledge, frame by frame, as no client library would send it.

use super::*;

/// The client's preface and empty settings (RFC 9113 section 3.4).
const OPENING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// `GET http://a/` in HPACK.
const HEAD: &[u8] = &[0x82, 0x86, 0x84, 0x41, 0x01, b'a'];

const HEADERS: u8 = 0x1;
const RST_STREAM: u8 = 0x3;
const GOAWAY: u8 = 0x7;
const CONTINUATION: u8 = 0x9;
const END_STREAM_AND_HEADERS: u8 = 0x5;
/// RFC 9113 section 7.
const ENHANCE_YOUR_CALM: u32 = 0xb;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut out = vec![length[1], length[2], length[3], kind, flags];
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
    out
}

/// Sends frames and gives the error code of the GOAWAY with which the connection ends, and how many answers began.
async fn ended(address: SocketAddr, frames: &[u8]) -> (Option<u32>, usize) {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    // The other side may close before it read everything.
    let _cut_short = tcp.write_all(&[OPENING, frames].concat()).await;
    let mut answer = Vec::new();
    let _closed = timeout(PATIENCE, tcp.read_to_end(&mut answer)).await.expect("the connection is closed");
    let (mut rest, mut code, mut answers) = (&answer[..], None, 0);
    while let Some((head, more)) = rest.split_first_chunk::<9>() {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let Some((payload, next)) = more.split_at_checked(length) else { break };
        match head[3] {
            GOAWAY => code = Some(u32::from_be_bytes(payload[4..8].try_into().unwrap())),
            HEADERS => answers += 1,
            _ => {}
        }
        rest = next;
    }
    (code, answers)
}

#[tokio::test]
async fn rapid_reset_ends_the_connection_and_nobody_elses() {
    let echo = Echo::start(None, ServeLimits::default()).await;
    let mut frames = Vec::new();
    for stream in (1..4_000).step_by(2) {
        frames.extend(frame(HEADERS, END_STREAM_AND_HEADERS, stream, HEAD));
        frames.extend(frame(RST_STREAM, 0, stream, &8u32.to_be_bytes()));
    }
    let (code, answers) = ended(echo.address, &frames).await;
    assert_eq!(code, Some(ENHANCE_YOUR_CALM));
    assert!(answers < 256, "{answers}");
    let other = raw(echo.address, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(other.starts_with("HTTP/1.1 200 "), "{other}");
}

#[tokio::test]
async fn a_flood_of_continuations_ends_the_connection() {
    let echo = Echo::start(None, ServeLimits::default()).await;
    let mut frames = frame(HEADERS, 0x1, 1, HEAD);
    for _ in 0..10_000 {
        // A header `x: y`, never indexed; the end of the headers never comes.
        frames.extend(frame(CONTINUATION, 0, 1, &[0x10, 0x01, b'x', 0x01, b'y']));
    }
    let (_, answers) = ended(echo.address, &frames).await;
    assert_eq!(answers, 0, "no request came of it");
}
