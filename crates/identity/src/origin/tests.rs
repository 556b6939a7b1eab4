//! Tables of names and origins.

use http::HeaderValue;

use super::*;

fn rules(public: &str, listen: &str, allowed: &[&str]) -> HostRules {
    let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
    HostRules::new(public, &[listen.parse().unwrap()], &allowed)
}

fn check(rules: &HostRules, hosts: &[&str], origins: &[&str]) -> Result<(), ForeignRequest> {
    let mut headers = HeaderMap::new();
    for host in hosts {
        headers.append(HOST, HeaderValue::from_str(host).unwrap());
    }
    for origin in origins {
        headers.append(ORIGIN, HeaderValue::from_str(origin).unwrap());
    }
    rules.check(&headers, &Uri::from_static("/mcp"))
}

#[test]
fn on_loopback_only_names_of_this_machine_are_known() {
    let rules = rules("http://127.0.0.1:7420", "127.0.0.1:7420", &[]);
    for (host, good) in [
        ("127.0.0.1:7420", true),
        ("localhost:7420", true),
        ("LOCALHOST", true),
        ("[::1]:7420", true),
        ("localhost:9999", true),
        ("evil.example", false),
        ("evil.example:7420", false),
        ("localhost.evil.example", false),
        ("127.0.0.1.nip.io", false),
        ("192.168.1.5:7420", false),
        ("a@localhost", false),
        ("", false),
        ("localhost, evil.example", false),
    ] {
        assert_eq!(check(&rules, &[host], &[]).is_ok(), good, "{host:?}");
    }
}

#[test]
fn in_public_the_names_of_this_machine_are_foreign() {
    let rules = rules("https://gw.example", "0.0.0.0:7420", &["https://app.example"]);
    for (host, good) in
        [("gw.example", true), ("GW.example.:443", true), ("localhost:7420", false), ("0.0.0.0:7420", false)]
    {
        assert_eq!(check(&rules, &[host], &[]).is_ok(), good, "{host}");
    }
}

#[test]
fn origins_are_compared_whole() {
    let rules = rules("https://gw.example", "10.0.0.7:7420", &["https://app.example"]);
    for (origin, good) in [
        ("https://gw.example", true),
        ("https://gw.example:443", true),
        ("https://app.example", true),
        ("http://gw.example", false),
        ("https://gw.example:8443", false),
        ("https://app.example.evil.example", false),
        ("http://localhost:3000", false),
        ("null", false),
        ("", false),
        ("file://", false),
    ] {
        assert_eq!(check(&rules, &["gw.example"], &[origin]).is_ok(), good, "{origin:?}");
    }
}

#[test]
fn pages_of_this_machine_may_address_a_local_gateway() {
    let rules = rules("http://127.0.0.1:7420", "127.0.0.1:7420", &[]);
    assert_eq!(check(&rules, &["localhost:7420"], &["http://localhost:6274"]), Ok(()));
    assert_eq!(check(&rules, &["localhost:7420"], &["http://evil.example"]), Err(ForeignRequest::Origin));
}

#[test]
fn two_of_either_and_none_of_host_are_foreign() {
    let rules = rules("http://127.0.0.1:7420", "127.0.0.1:7420", &[]);
    assert_eq!(check(&rules, &["localhost", "localhost"], &[]), Err(ForeignRequest::Host));
    assert_eq!(check(&rules, &[], &[]), Err(ForeignRequest::Host));
    let twice = ["http://localhost", "http://localhost"];
    assert_eq!(check(&rules, &["localhost"], &twice), Err(ForeignRequest::Origin));
}

#[test]
fn the_authority_of_http2_counts_as_host_and_must_not_contradict_it() {
    let rules = rules("http://127.0.0.1:7420", "127.0.0.1:7420", &[]);
    let mut headers = HeaderMap::new();
    let ours = Uri::from_static("http://localhost:7420/mcp");
    let other = Uri::from_static("http://evil.example/mcp");
    assert_eq!(rules.check(&headers, &ours), Ok(()));
    assert_eq!(rules.check(&headers, &other), Err(ForeignRequest::Host));
    headers.insert(HOST, HeaderValue::from_static("localhost:7420"));
    assert_eq!(rules.check(&headers, &other), Err(ForeignRequest::Host));
}
