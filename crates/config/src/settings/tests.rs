use std::time::Duration;

use secrecy::ExposeSecret;

use super::*;
use crate::{Confine, Durability, LogFormat};

fn load_with(text: &str, environment: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    let read = |path: &Path| match path.to_str() {
        Some("/secrets/url") => Ok("postgres://u:hidden@db/bailiwick\n".to_owned()),
        Some("/secrets/empty") => Ok("\n".to_owned()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    let file = Source { name: "bailiwick.toml".into(), text: text.into() };
    let environment = environment.iter().map(|(name, value)| (name.into(), value.into()));
    Settings::load(Some(file), environment, &read)
}

fn load(text: &str) -> Result<Settings, ConfigError> {
    load_with(text, &[])
}

#[test]
fn an_empty_file_gives_the_defaults() {
    let settings = load("").unwrap();
    assert_eq!(settings.listen.address.to_string(), "127.0.0.1:7420");
    assert_eq!(settings.listen.base_url(settings.listen.address).as_str(), "http://127.0.0.1:7420/");
    assert_eq!(settings.listen.max_connections, 20_000);
    assert_eq!(settings.listen.max_header_bytes, 32_768);
    assert_eq!(settings.data.dir.to_str(), Some("./bailiwick-data"));
    assert!(settings.database.url.is_none());
    assert_eq!(settings.ledger.durability, Durability::Os);
    assert_eq!(settings.ledger.segment_bytes, 64 << 20);
    assert_eq!(settings.ledger.stall, Duration::from_secs(2));
    assert!(settings.egress.allow.is_empty() && settings.egress.proxy.is_none());
    assert_eq!((settings.limits.body_bytes, settings.limits.depth), (4 << 20, 64));
    assert_eq!(settings.upstream.poll, Duration::from_secs(60));
    assert_eq!(settings.upstream.children.confine, Confine::Auto);
    assert_eq!(settings.log.format, LogFormat::Auto);
    assert_eq!(format!("{:?}", Settings::default()), format!("{settings:?}"));
}

#[test]
fn every_section_is_read() {
    let settings = load(
        r#"
        [listen]
        address = "0.0.0.0:443"
        public_url = "https://gateway.corp.example"
        tls_cert = "/etc/tls/cert.pem"
        tls_key = "/etc/tls/key.pem"
        trusted_proxies = ["10.0.0.1", "10.1.0.0/16"]
        allowed_origins = ["https://app.example/"]
        [data]
        dir = "/var/lib/bailiwick"
        [database]
        url = "postgres://u:hidden@db:5432/bailiwick"
        [ledger]
        durability = "disk"
        [egress]
        allow = ["10.0.0.0/8", "wiki.corp.example:443"]
        proxy = "http://u:hidden@proxy:3128"
        no_proxy = [".corp.example"]
        extra_ca = "/etc/ca.pem"
        [limits]
        body_bytes = 1_000_000
        [upstream]
        allowed_commands = ["npx"]
        memory_mb = 0
        confine = "require"
        [log]
        format = "json"
        level = "info,bailiwick_upstream=debug"
        "#,
    )
    .unwrap();
    assert_eq!(settings.listen.base_url(settings.listen.address).as_str(), "https://gateway.corp.example/");
    assert_eq!(settings.listen.trusted_proxies.len(), 2);
    assert_eq!(settings.listen.allowed_origins, ["https://app.example"]);
    assert_eq!(
        settings.database.url.as_ref().unwrap().expose_secret(),
        "postgres://u:hidden@db:5432/bailiwick"
    );
    assert_eq!(settings.egress.allow[1].to_string(), "wiki.corp.example:443");
    assert_eq!(settings.upstream.children.memory_bytes, None);
    assert!(!format!("{settings:?}").contains("hidden"));
}

#[test]
fn witnesses_are_files_urls_and_syslog_servers() {
    use crate::Syslog;
    for (text, expected) in [
        ("udp://log.corp.example", Syslog::Udp { host: "log.corp.example".into(), port: 514 }),
        ("udp://[fd00::1]:1514", Syslog::Udp { host: "fd00::1".into(), port: 1514 }),
        ("unix:///dev/log", Syslog::Unix("/dev/log".into())),
    ] {
        let settings = load_with("", &[("BAILIWICK_LEDGER__WITNESS_SYSLOG", text)]).unwrap();
        assert_eq!(settings.ledger.witness.syslog, Some(expected), "{text}");
    }
    assert_eq!(load("").unwrap().ledger.witness, crate::Witness::default());
}

#[test]
fn an_archive_is_a_folder_or_a_bucket_and_classes_have_days_of_their_own() {
    use crate::{Archive, Retention};
    let ledger =
        load("[ledger]\narchive = \"/a\"\nretention_days = 400\nretention_calls_days = 30\n").unwrap().ledger;
    assert!(matches!(ledger.archive, Some(Archive::Folder(path)) if path == Path::new("/a")));
    let days = |days: u64| Some(std::time::Duration::from_secs(days * 86_400));
    assert_eq!(ledger.retention, Retention { calls: days(30), administration: days(400) });
    let text = "[ledger]\narchive = \"s3://b/p/q/\"\narchive_access_key = \"AK\"\n";
    let settings = load_with(text, &[("BAILIWICK_LEDGER__ARCHIVE_SECRET_KEY", "hidden")]).unwrap();
    let Some(Archive::Bucket(bucket)) = &settings.ledger.archive else { panic!("{:?}", settings.ledger) };
    assert_eq!(
        (bucket.name.as_str(), bucket.prefix.as_str(), bucket.region.as_str()),
        ("b", "p/q", "us-east-1")
    );
    assert!(!format!("{settings:?}").contains("hidden"));
}

#[test]
fn the_environment_wins_over_the_file() {
    let settings = load_with(
        "[listen]\naddress = \"127.0.0.1:1\"\nmax_connections = 5\n[egress]\nallow = [\"10.0.0.1\"]\n",
        &[
            ("BAILIWICK_LISTEN__ADDRESS", "127.0.0.1:2"),
            ("BAILIWICK_EGRESS__ALLOW", "10.0.0.2, 10.0.0.3:80"),
            ("BAILIWICK_UPSTREAM__ALLOWED_COMMANDS", r#"["npx", "a,b"]"#),
            ("BAILIWICK_DATA__DIR", "123"),
            ("BAILIWICK_LOG__LEVEL", "debug"),
            ("BAILIWICK_LOG__FORMAT", "text"),
            ("BAILIWICK_LIMITS__DEPTH", "32"),
            ("BAILIWICK_DATABASE__URL_FILE", "/secrets/url"),
            ("BAILIWICK_KEY", "a variable of the command line client"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap();
    assert_eq!(settings.listen.address.port(), 2);
    assert_eq!(settings.listen.max_connections, 5);
    assert_eq!(settings.egress.allow.len(), 2);
    assert_eq!(settings.upstream.children.allowed_commands, ["npx", "a,b"]);
    assert_eq!(settings.data.dir.to_str(), Some("123"));
    assert_eq!((settings.log.level.as_str(), settings.limits.depth), ("debug", 32));
    assert_eq!(settings.database.url.unwrap().expose_secret(), "postgres://u:hidden@db/bailiwick");
}

#[test]
fn a_secret_of_the_environment_replaces_both_forms_of_the_file() {
    let file = "[database]\nurl = \"postgres://file/x\"\n";
    let settings = load_with(file, &[("BAILIWICK_DATABASE__URL_FILE", "/secrets/url")]).unwrap();
    assert_eq!(settings.database.url.unwrap().expose_secret(), "postgres://u:hidden@db/bailiwick");
    let file = "[database]\nurl_file = \"/secrets/none\"\n";
    let settings = load_with(file, &[("BAILIWICK_DATABASE__URL", "postgres://env/x")]).unwrap();
    assert_eq!(settings.database.url.unwrap().expose_secret(), "postgres://env/x");
    let both =
        [("BAILIWICK_DATABASE__URL", "postgres://env/x"), ("BAILIWICK_DATABASE__URL_FILE", "/secrets/url")];
    assert!(load_with("", &both).unwrap_err().to_string().contains("both"));
}

#[test]
fn mistakes_in_the_file_are_named_with_their_place() {
    for (text, place, said) in [
        ("[listen]\nadress = \"127.0.0.1:1\"\n", "2:1", "unknown field `adress`"),
        ("[lisen]\n", "1:2", "unknown field `lisen`"),
        ("[listen]\nmax_connections = \"many\"\n", "2:19", "invalid type: string"),
        ("[listen]\nmax_connections = -1\n", "2:19", "invalid value"),
        ("[listen]\naddress = \n", "2:11", ""),
        ("[listen]\naddress = \"localhost\"\n", "2:11", "not an address and port"),
        ("[listen]\naddress = \"0.0.0.0:7420\"\n", "2:11", "without TLS"),
        ("[listen]\naddress = \"[::]:7420\"\n", "2:11", "listen.tls_cert"),
        ("[listen]\ntls_cert = \"a\"\n", "2:12", "without its key"),
        ("[listen]\ntls_key = \"a\"\n", "2:11", "without its certificate"),
        ("[listen]\npublic_url = \"gateway\"\n", "2:14", "not a URL"),
        ("[listen]\npublic_url = \"https://a/path\"\n", "2:14", "no path"),
        ("[listen]\npublic_url = \"ftp://a\"\n", "2:14", "must be https"),
        ("[listen]\ntrusted_proxies = [\"all\"]\n", "2:19", "no address or range"),
        ("[listen]\ntrusted_proxies = [\"0.0.0.0/0\"]\n", "2:19", "everybody"),
        ("[listen]\nallowed_origins = [\"*\"]\n", "2:19", "no origin"),
        ("[listen]\nmax_header_bytes = 100\n", "2:20", "at least 8192"),
        ("[data]\ndir = \"\"\n", "2:7", "empty"),
        ("[database]\nurl = \"mysql://a\"\n", "2:7", "not the URL of a PostgreSQL database"),
        ("[database]\nurl = \"\"\n", "2:7", "empty"),
        ("[database]\nurl_file = \"/secrets/none\"\n", "2:12", "cannot be read"),
        ("[database]\nurl_file = \"/secrets/empty\"\n", "2:12", "is empty"),
        ("[database]\nurl = \"postgres://a/b\"\nurl_file = \"/secrets/url\"\n", "2:7", "both"),
        ("[ledger]\ndurability = \"ram\"\n", "2:14", "unknown variant `ram`"),
        ("[ledger]\nsegment_bytes = 1\n", "2:17", "at least 1048576"),
        ("[ledger]\nwitness_file = \"a\"\n", "2:16", "not an absolute path"),
        ("[ledger]\nwitness_webhook = \"https://u:p@a\"\n", "2:19", "without user and password"),
        ("[ledger]\nwitness_syslog = \"tcp://a\"\n", "2:18", "not the address of a syslog server"),
        ("[ledger]\narchive = \"a\"\n", "2:11", "neither an absolute path nor a bucket"),
        ("[ledger]\narchive = \"s3://b\"\n", "2:11", "wants an access key"),
        ("[ledger]\narchive = \"/a\"\narchive_region = \"r\"\n", "2:11", "a folder has no endpoint"),
        ("[ledger]\narchive_endpoint = \"https://a/b\"\n", "2:20", "not an http or https URL of a host"),
        ("[ledger]\nretention_days = 30\n", "2:18", "there is no ledger.archive"),
        ("[ledger]\narchive = \"/a\"\nretention_calls_days = 0\n", "3:24", "0 days"),
        ("[egress]\nallow = [\"http://a\"]\n", "2:9", "not a destination"),
        ("[egress]\nproxy = \"socks://a\"\n", "2:9", "not the URL of an HTTP proxy"),
        ("[egress]\nno_proxy = [\"a\"]\n", "2:12", "no egress.proxy"),
        ("[limits]\ndepth = 1000\n", "2:9", "at most 512"),
        ("[limits]\nconcurrency = 0\n", "2:15", "at least 1"),
        ("[upstream]\nconfine = \"maybe\"\n", "2:11", "unknown variant `maybe`"),
        ("[upstream]\npoll_seconds = 0\n", "2:16", "at least 1"),
        ("[log]\nlevel = \"loud\"\n", "2:9", "no level"),
    ] {
        let error = load(text).map(|_| ()).expect_err(text).to_string();
        assert!(error.contains(&format!("bailiwick.toml:{place}: ")), "{text:?}: {error}");
        assert!(error.contains(said), "{text:?}: {error}");
    }
}

#[test]
fn mistakes_in_the_environment_are_named_with_their_variable() {
    for (name, value, said) in [
        ("BAILIWICK_LISTEN__ADRESS", "x", "the keys of listen are address, "),
        ("BAILIWICK_LISEN__ADDRESS", "x", "the sections are "),
        ("BAILIWICK_LIMITS__DEPTH", "deep", "not a TOML value"),
        ("BAILIWICK_LIMITS__DEPTH", "\"deep\"", "invalid type: string"),
        ("BAILIWICK_LISTEN__ADDRESS", "0.0.0.0:1", "without TLS"),
        ("BAILIWICK_DATABASE__URL", "mysql://u:hidden@db", "not the URL of a PostgreSQL database"),
    ] {
        let error = load_with("[data]\ndir = \"x\"\n", &[(name, value)]).map(|_| ()).expect_err(name);
        let shown = format!("{error}{error:?}");
        assert!(shown.contains(said), "{name}: {error}");
        assert!(!shown.contains("hidden"), "{name}: {error}");
        let span = error.problems()[0].span.unwrap();
        let source = miette::Diagnostic::source_code(&error).unwrap();
        let around = source.read_span(&span, 0, 0).unwrap();
        assert!(String::from_utf8_lossy(around.data()).contains(name), "{name}");
    }
}

#[test]
fn every_problem_is_reported_at_once() {
    let error = load("[limits]\ndepth = 1\nstreams = 0\n[log]\nlevel = \"loud\"\n").unwrap_err();
    let keys: Vec<_> = error.problems().iter().filter_map(|problem| problem.key.as_deref()).collect();
    assert_eq!(keys, ["limits.depth", "limits.streams", "log.level"]);
}

#[test]
fn no_message_shows_a_secret_of_the_file() {
    for text in [
        "[database]\nurl = \"mysql://u:hidden@db\"\n",
        "[database]\nurl = \"postgres://u:hidden@db/x\"\nurls = 1\n",
        "[database]\nurl = \"postgres://u:hidden@db/x\n",
        "[database]\n\"url\" = 'x hidden'\n",
        "database = { url = \"x hidden\" }\n",
        "database.url = \"x hidden\"\n",
        "[database]\nurl = \"\"\"\nx\nhidden\n\"\"\"\n",
        "[egress]\nproxy = \"socks://u:hidden@p\"\n",
        "[egress]\nproxy = [\"hidden\"]\n",
    ] {
        let error = load(text).map(|_| ()).expect_err(text);
        let plain = format!("{error}{error:?}");
        let shown = format!("{plain}{:?}", miette::Report::new(error));
        assert!(!shown.contains("hidden"), "{text:?}: {shown}");
    }
}

#[test]
fn the_schema_names_every_key_with_default_and_description() {
    let schema = crate::schema();
    let sections = schema["properties"].as_object().unwrap();
    assert_eq!(sections.len(), 8);
    for (section, content) in sections {
        assert_eq!(content["additionalProperties"], false, "{section}");
        for (key, property) in content["properties"].as_object().unwrap() {
            assert!(property["description"].is_string(), "{section}.{key}");
            assert!(property.get("default").is_some(), "{section}.{key}");
        }
    }
    assert_eq!(schema["properties"]["limits"]["properties"]["depth"]["default"], 64);
}
