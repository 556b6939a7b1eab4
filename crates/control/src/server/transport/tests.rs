//! Tables of transports.

use super::*;

fn http(url: &str, headers: &[(&str, &str)]) -> Transport {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::Plain { value: (*value).to_owned() }))
        .collect();
    Transport::Http { url: url.into(), headers }
}

fn stdio(command: &str, env: &[&str], cwd: Option<&str>) -> Transport {
    let env = env.iter().map(|name| ((*name).to_owned(), Value::Plain { value: "x".into() })).collect();
    Transport::Stdio {
        command: command.into(),
        args: vec![],
        env,
        cwd: cwd.map(ToOwned::to_owned),
        sharing: Default::default(),
        confinement: Default::default(),
    }
}

#[test]
fn urls_that_can_be_dialled_and_nothing_else() {
    for (url, good) in [
        ("https://mcp.example/mcp", true),
        ("http://127.0.0.1:8080", true),
        ("https://[2001:db8::1]:8443/x?tenant=1", true),
        ("ftp://mcp.example/", false),
        ("file:///etc/passwd", false),
        ("https://user:pass@mcp.example/", false),
        ("https://token@mcp.example/", false),
        ("https://mcp.example/#a", false),
        ("https://", false),
        ("https://mcp.example:0/", false),
        ("/mcp", false),
        ("mcp.example", false),
        ("https://mcp.example/\r\nx", false),
        ("javascript:alert(1)", false),
        ("", false),
    ] {
        assert_eq!(check(http(url, &[]), &BTreeMap::new()).is_ok(), good, "{url:?}");
    }
}

#[test]
fn headers_that_the_gateway_writes_itself_are_refused() {
    for (name, good) in [
        ("Authorization", true),
        ("X-Api-Key", true),
        ("Host", false),
        ("content-length", false),
        ("Mcp-Session-Id", false),
        ("MCP-Protocol-Version", false),
        ("Transfer-Encoding", false),
        ("Connection", false),
        ("X-Forwarded-For", false),
        ("Sec-Fetch-Site", false),
        ("Traceparent", false),
        ("a b", false),
        ("", false),
    ] {
        let transport = http("https://a.example/", &[(name, "v")]);
        assert_eq!(check(transport, &BTreeMap::new()).is_ok(), good, "{name:?}");
    }
}

#[test]
fn header_values_cannot_break_lines_not_even_secret_ones() {
    assert!(check(http("https://a.example/", &[("x", "a\r\nHost: b")]), &BTreeMap::new()).is_err());
    let headers = [("x".to_owned(), Value::Secret)].into();
    let secrets = [("x".to_owned(), SecretString::from("a\nb"))].into();
    assert!(check(Transport::Http { url: "https://a.example/".into(), headers }, &secrets).is_err());
}

#[test]
fn a_header_is_there_once_whatever_its_spelling() {
    assert!(check(http("https://a.example/", &[("x-a", "1"), ("X-A", "2")]), &BTreeMap::new()).is_err());
}

#[test]
fn commands_and_their_surroundings_are_checked() {
    for (command, env, cwd, good) in [
        ("npx", &["API_TOKEN"][..], None, true),
        ("/opt/tool", &[], Some("/srv"), true),
        ("", &[], None, false),
        ("a\0b", &[], None, false),
        ("npx", &["LD_PRELOAD"], None, false),
        ("npx", &["A=B"], None, false),
        ("npx", &["1A"], None, false),
        ("npx", &[""], None, false),
        ("npx", &[], Some("relative"), false),
    ] {
        assert_eq!(check(stdio(command, env, cwd), &BTreeMap::new()).is_ok(), good, "{command:?} {env:?}");
    }
}
