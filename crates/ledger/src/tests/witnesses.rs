//! Checkpoints reach real files and sockets, by themselves, also after failures, and nobody waits for them.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_config::{Syslog, Witness};
use bailiwick_runtime::egress::EgressRules;
use bailiwick_runtime::{Outbound, OutboundSettings};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram};

use super::fixture::{Place, calls};
use crate::{Fault, Ledger, Means, SignedCheckpoint, VerifyOptions, WitnessStatus, Witnesses, verify};

/// More than any of these takes, less than anybody waits.
const DEADLINE: Duration = Duration::from_secs(20);

fn means(place: &Place, allow: &str) -> Means {
    let egress = EgressRules::new(vec![allow.parse().unwrap()]);
    let settings = OutboundSettings { rules: egress.clone(), ..OutboundSettings::default() };
    Means { outbound: Outbound::new(settings).unwrap(), egress, clock: Arc::clone(&place.clock) as _ }
}

/// The only witness, as soon as it is as wanted.
async fn witness(ledger: &Ledger, wanted: impl Fn(&WitnessStatus) -> bool) -> WitnessStatus {
    let looking = async {
        loop {
            let status = ledger.status().unwrap().witnesses.remove(0);
            if wanted(&status) {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(DEADLINE, looking).await.unwrap()
}

fn note(text: &str, ledger: &Ledger) -> u64 {
    let note = SignedCheckpoint::parse(text).unwrap();
    assert!(note.is_signed_by(ledger.verifier()));
    note.checkpoint().size
}

/// A new checkpoint of all there is.
fn sign(place: &Place) {
    place.clock.advance(Duration::from_secs(11));
}

#[tokio::test]
async fn a_file_has_every_checkpoint_and_tells_of_a_cut_ledger() {
    let place = Place::new();
    let path = place.root.path().join("elsewhere/checkpoints");
    let ledger = place.open();
    let settings = Witness { file: Some(path.clone()), ..Witness::default() };
    let witnesses = Witnesses::start(&ledger, &settings, &means(&place, "127.0.0.1"));
    // The mount is not there yet.
    let failing = witness(&ledger, |status| status.failures > 0).await;
    assert!(failing.kind == "file" && failing.error.is_some() && failing.delivered == 0, "{failing:?}");
    fs::create_dir(path.parent().unwrap()).unwrap();
    calls(&ledger, 0..3).await;
    sign(&place);
    let well = witness(&ledger, |status| status.delivered == 6).await;
    assert_eq!(well.error, None);
    calls(&ledger, 3..5).await;
    ledger.close().unwrap();
    witnesses.stop().await;
    let text = fs::read_to_string(&path).unwrap();
    let last = text.rfind("node.test/ledger\n10\n").unwrap();
    assert_eq!(note(&text[last..], &ledger), 10);
    assert_eq!(ledger.status().unwrap().witness_lag(), Some(0));

    // Whoever cuts the end with all its checkpoints does not reach the witness.
    drop(ledger);
    let lines = place.lines();
    fs::write(place.segment(0), lines[..6].join("\n") + "\n").unwrap();
    fs::remove_file(place.dir().join("checkpoint")).unwrap();
    let notes = place.segment(0).with_extension("notes");
    let kept = fs::read_to_string(&notes).unwrap();
    fs::write(&notes, &kept[..kept.find("node.test/ledger\n10\n").unwrap()]).unwrap();
    assert_eq!(place.verify().bad, None);
    let saved = SignedCheckpoint::parse(&text[last..]).ok();
    let found = verify(&place.dir(), &VerifyOptions { saved, keys: Vec::new(), ..VerifyOptions::default() })
        .unwrap()
        .bad
        .unwrap();
    assert_eq!((found.index, found.fault), (6, Fault::Truncated { size: 10 }));
}

/// Reads a request with a body; tells its head and body.
async fn request(stream: &mut TcpStream) -> (String, Value) {
    let mut bytes = Vec::new();
    loop {
        stream.read_buf(&mut bytes).await.unwrap();
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && let Ok(body) = serde_json::from_str(body)
        {
            return (head.to_owned(), body);
        }
    }
}

async fn answer(stream: &mut TcpStream, status: &str) {
    let text = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
}

#[tokio::test]
async fn a_webhook_gets_checkpoints_again_after_it_failed() {
    let place = Place::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/checkpoints?token=hidden", listener.local_addr().unwrap());
    let ledger = place.open();
    let settings = Witness { webhook: Some(url.parse().unwrap()), ..Witness::default() };
    let witnesses = Witnesses::start(&ledger, &settings, &means(&place, "127.0.0.1"));
    let (mut stream, _) = listener.accept().await.unwrap();
    let (head, _) = request(&mut stream).await;
    assert!(head.starts_with("POST /checkpoints?token=hidden HTTP/1.1\r\n"), "{head}");
    answer(&mut stream, "500 No").await;
    let failing = witness(&ledger, |status| status.failures == 1).await;
    assert_eq!(failing.error.as_deref(), Some("it answers 500"));
    assert!(!format!("{failing:?}").contains("hidden"), "{failing:?}");
    calls(&ledger, 0..2).await;
    sign(&place);
    let size = loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (_, body) = request(&mut stream).await;
        answer(&mut stream, "204 Taken").await;
        let size = note(body["checkpoint"].as_str().unwrap(), &ledger);
        assert_eq!((body["size"].as_u64(), body["origin"].as_str()), (Some(size), Some("node.test/ledger")));
        if size == 4 {
            break size;
        }
    };
    let well = witness(&ledger, |status| status.delivered == size).await;
    assert_eq!((well.error, well.kind), (None, "webhook"));
    ledger.close().unwrap();
    witnesses.stop().await;
}

#[tokio::test]
async fn a_witness_that_hangs_or_is_forbidden_holds_up_nobody() {
    let place = Place::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url: url::Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let settings = Witness { webhook: Some(url), ..Witness::default() };
    let ledger = place.open();
    let witnesses = Witnesses::start(&ledger, &settings, &means(&place, "127.0.0.1"));
    let (held, _) = listener.accept().await.unwrap();
    let all = async {
        calls(&ledger, 0..200).await;
        ledger.close().unwrap();
        witnesses.stop().await;
    };
    tokio::time::timeout(Duration::from_secs(8), all).await.unwrap();
    assert_eq!(ledger.status().unwrap().witness_lag(), Some(400));
    drop((held, ledger));

    let ledger = place.open();
    let witnesses = Witnesses::start(&ledger, &settings, &means(&place, "10.0.0.1"));
    let refused = witness(&ledger, |status| status.failures > 0).await;
    assert!(refused.error.as_ref().is_some_and(|error| error.contains("egress.allow")), "{refused:?}");
    ledger.close().unwrap();
    witnesses.stop().await;
}

/// The checkpoint in a message of RFC 5424.
fn of_syslog(message: &[u8], ledger: &Ledger) -> u64 {
    let text = std::str::from_utf8(message).unwrap();
    let words: Vec<_> = text.splitn(8, ' ').collect();
    assert_eq!(
        (words[0], words[2], words[3], words[5], words[6]),
        ("<110>1", "-", "bailiwick", "checkpoint", "-")
    );
    assert!(words[1].starts_with("2026-07-28T12:") && words[1].ends_with('Z'), "{text}");
    assert!(!text.contains('\n'));
    let body: Value = serde_json::from_str(words[7]).unwrap();
    note(body["checkpoint"].as_str().unwrap(), ledger)
}

#[tokio::test]
async fn a_syslog_server_gets_checkpoints_over_udp() {
    let place = Place::new();
    let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = server.local_addr().unwrap().port();
    let syslog = Some(Syslog::Udp { host: "127.0.0.1".into(), port });
    let settings = Witness { syslog, ..Witness::default() };
    let ledger = place.open();
    let witnesses = Witnesses::start(&ledger, &settings, &means(&place, "127.0.0.1"));
    calls(&ledger, 0..2).await;
    sign(&place);
    let mut buffer = [0; 4096];
    let received = async {
        loop {
            let length = server.recv(&mut buffer).await.unwrap();
            if of_syslog(&buffer[..length], &ledger) == 4 {
                return;
            }
        }
    };
    tokio::time::timeout(DEADLINE, received).await.unwrap();
    witness(&ledger, |status| status.delivered == 4 && status.error.is_none()).await;
    ledger.close().unwrap();
    witnesses.stop().await;
    // Where nothing allows it, nothing is sent.
    let ledger = place.open();
    let witnesses = Witnesses::start(&ledger, &settings, &means(&place, "10.0.0.1"));
    witness(&ledger, |status| status.error.as_ref().is_some_and(|error| error.contains("egress.allow")))
        .await;
    ledger.close().unwrap();
    witnesses.stop().await;
}

fn unix(path: &Path) -> Witness {
    Witness { syslog: Some(Syslog::Unix(path.to_owned())), ..Witness::default() }
}

#[tokio::test]
async fn a_syslog_server_that_comes_later_gets_checkpoints_over_its_socket() {
    let place = Place::new();
    let path = place.root.path().join("log");
    let ledger = place.open();
    let witnesses = Witnesses::start(&ledger, &unix(&path), &means(&place, "127.0.0.1"));
    witness(&ledger, |status| status.failures > 0).await;
    let server = UnixDatagram::bind(&path).unwrap();
    calls(&ledger, 0..2).await;
    sign(&place);
    witness(&ledger, |status| status.delivered == 4 && status.error.is_none()).await;
    let mut buffer = [0; 4096];
    while {
        let length = server.recv(&mut buffer).await.unwrap();
        of_syslog(&buffer[..length], &ledger) < 4
    } {}
    ledger.close().unwrap();
    witnesses.stop().await;
}
