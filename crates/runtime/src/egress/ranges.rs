//! The special-purpose address ranges (IANA registries for IPv4 and IPv6, RFC 6890 and later).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The kind of a special address; `None` for one of the public internet.
pub(super) fn special(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(ip) => special_v4(ip),
        IpAddr::V6(ip) => special_v6(ip),
    }
}

fn special_v4(ip: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, _] = ip.octets();
    Some(match (a, b, c) {
        (0, ..) => "unspecified",
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => "private",
        (100, 64..=127, _) => "carrier-grade NAT",
        (127, ..) => "loopback",
        (169, 254, _) => "link-local",
        (192, 0, 0) | (192, 31, 196) | (192, 52, 193) | (192, 175, 48) => "protocol-assigned",
        (192, 0, 2) | (198, 51, 100) | (203, 0, 113) => "documentation",
        (192, 88, 99) => "6to4 relay",
        (198, 18 | 19, _) => "benchmarking",
        (224..=239, ..) => "multicast",
        (255, 255, 255) if ip.is_broadcast() => "broadcast",
        (240..=255, ..) => "reserved",
        // Cloud metadata at a public-looking address (Azure's wire server; Oracle and Alibaba use
        // link-local and carrier-grade NAT, covered above).
        (168, 63, 129) if ip == Ipv4Addr::new(168, 63, 129, 16) => "cloud metadata",
        _ => return None,
    })
}

fn special_v6(ip: Ipv6Addr) -> Option<&'static str> {
    let [a, b, c, ..] = ip.segments();
    if ip.is_unspecified() {
        return Some("unspecified");
    }
    if ip.is_loopback() {
        return Some("loopback");
    }
    Some(match (a, b, c) {
        (0, 0, 0) if matches!(ip.segments(), [0, 0, 0, 0, 0, 0xffff, ..]) => "IPv4-mapped",
        (0, 0, 0) if matches!(ip.segments(), [0, 0, 0, 0, 0, 0, ..]) => "IPv4-compatible",
        (0, 0, 0) if matches!(ip.segments(), [0, 0, 0, 0, 0xffff, 0, ..]) => "IPv4-translated",
        (0x64, 0xff9b, _) => "NAT64",
        (0x100, 0, 0) => "discard-only",
        (0x2001, 0, _) => "Teredo",
        (0x2001, 0x1..=0x1ff, _) => "protocol-assigned",
        (0x2001, 0xdb8, _) | (0x3fff, 0..=0xfff, _) => "documentation",
        (0x2002, ..) => "6to4",
        (0x5f00, ..) => "segment-routing",
        (0xfc00..=0xfdff, ..) => "unique-local",
        (0xfe80..=0xfebf, ..) => "link-local",
        (0xfec0..=0xfeff, ..) => "site-local",
        (0xff00..=0xffff, ..) => "multicast",
        // Only 2000::/3 is global unicast; the rest of the space is reserved.
        (0x2000..=0x3fff, ..) => return None,
        _ => "reserved",
    })
}
