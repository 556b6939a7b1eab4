//! A checkpoint as a syslog message (RFC 5424), over UDP (RFC 5426) or a datagram socket of this machine.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use bailiwick_config::Syslog;
use tokio::net::{UdpSocket, UnixDatagram, lookup_host};

use super::{Means, Refused};
use crate::note::SignedCheckpoint;

/// Facility 13, log audit, and severity 6, informational (RFC 5424, section 6.2.1).
const PRIORITY: u8 = 13 * 8 + 6;

pub(super) async fn send(server: &Syslog, note: &SignedCheckpoint, means: &Means) -> Result<(), Refused> {
    let message = message(note, &means.clock.now().to_string());
    match server {
        Syslog::Unix(path) => {
            let socket = UnixDatagram::unbound()?;
            socket.connect(path)?;
            socket.send(message.as_bytes()).await?;
        }
        Syslog::Udp { host, port } => {
            let mut addresses = lookup_host((host.as_str(), *port)).await?;
            let address = addresses.next().ok_or(Refused::Nowhere)?;
            // The address that is sent to, like any other dial (egress guard).
            means.egress.check(host, address.ip(), *port)?;
            let own: SocketAddr = match address {
                SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
                SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
            };
            let socket = UdpSocket::bind(own).await?;
            socket.connect(address).await?;
            socket.send(message.as_bytes()).await?;
        }
    }
    Ok(())
}

/// The note as a JSON string: its line breaks would end the message for many receivers.
fn message(note: &SignedCheckpoint, time: &str) -> String {
    let note = serde_json::json!({ "checkpoint": note.to_string() });
    format!("<{PRIORITY}>1 {time} - bailiwick {} checkpoint - {note}", std::process::id())
}
