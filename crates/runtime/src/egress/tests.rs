use super::*;

fn verdict(rules: &EgressRules, ip: &str, port: u16) -> Result<(), &'static str> {
    rules.check("host.example", ip.parse().unwrap(), port).map_err(|forbidden| forbidden.range)
}

#[test]
fn special_addresses_are_forbidden_by_default() {
    let rules = EgressRules::default();
    for (ip, range) in [
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("10.0.0.1", "private"),
        ("100.64.0.1", "carrier-grade NAT"),
        ("100.100.100.200", "carrier-grade NAT"),
        ("100.127.255.255", "carrier-grade NAT"),
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("169.254.169.254", "link-local"),
        ("168.63.129.16", "cloud metadata"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.0.0.192", "protocol-assigned"),
        ("192.0.2.1", "documentation"),
        ("192.88.99.1", "6to4 relay"),
        ("192.168.1.1", "private"),
        ("198.18.0.1", "benchmarking"),
        ("198.19.255.255", "benchmarking"),
        ("198.51.100.7", "documentation"),
        ("203.0.113.7", "documentation"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "broadcast"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:7f00:1", "loopback"),
        ("::ffff:169.254.169.254", "link-local"),
        ("::ffff:10.0.0.1", "private"),
        ("::127.0.0.1", "IPv4-compatible"),
        ("::8.8.8.8", "IPv4-compatible"),
        ("::ffff:0:127.0.0.1", "IPv4-translated"),
        ("64:ff9b::127.0.0.1", "NAT64"),
        ("64:ff9b:1::a9fe:a9fe", "NAT64"),
        ("100::1", "discard-only"),
        ("2001::1", "Teredo"),
        ("2001:10::1", "protocol-assigned"),
        ("2001:db8::1", "documentation"),
        ("3fff::1", "documentation"),
        ("2002:7f00:1::", "6to4"),
        ("2002:808:808::1", "6to4"),
        ("4000::1", "reserved"),
        ("5f00::1", "segment-routing"),
        ("fc00::1", "unique-local"),
        ("fd00:ec2::254", "unique-local"),
        ("fe80::1", "link-local"),
        ("febf::1", "link-local"),
        ("fec0::1", "site-local"),
        ("ff02::1", "multicast"),
    ] {
        assert_eq!(verdict(&rules, ip, 443), Err(range), "{ip}");
    }
}

#[test]
fn the_public_internet_is_allowed() {
    let rules = EgressRules::default();
    for ip in [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "169.253.1.1",
        "192.0.1.1",
        "198.17.0.1",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "2606:4700:4700::1111",
        "2a00:1450::1",
        "2001:4860:4860::8888",
    ] {
        assert_eq!(verdict(&rules, ip, 443), Ok(()), "{ip}");
    }
}

#[test]
fn operators_allow_by_range_address_or_name_and_port() {
    let allow =
        ["10.0.0.0/8", "127.0.0.1:8080", "[fd00::/16]:443", "wiki.corp.example:443", "any.corp.example"];
    let rules = EgressRules::new(allow.iter().map(|text| text.parse().unwrap()).collect());
    for (host, ip, port, allowed) in [
        ("x", "10.9.8.7", 1, true),
        ("x", "::ffff:10.9.8.7", 1, true),
        ("x", "11.0.0.1", 1, true),
        ("x", "127.0.0.1", 8080, true),
        ("x", "127.0.0.1", 8081, false),
        ("x", "127.0.0.2", 8080, false),
        ("x", "fd00::5", 443, true),
        ("x", "fd00::5", 80, false),
        ("x", "fd01::5", 443, false),
        ("wiki.corp.example", "192.168.3.4", 443, true),
        ("WIKI.corp.example.", "192.168.3.4", 443, true),
        ("wiki.corp.example", "192.168.3.4", 444, false),
        ("evil.wiki.corp.example", "192.168.3.4", 443, false),
        ("any.corp.example", "169.254.169.254", 9, true),
    ] {
        let verdict = rules.check(host, ip.parse().unwrap(), port);
        assert_eq!(verdict.is_ok(), allowed, "{host} {ip} {port}");
    }
}
