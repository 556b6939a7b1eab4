//! A bucket as an archive: against a real S3 server on loopback, moto from PyPI, which checks signatures here.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on fails")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bailiwick_config::{Archive as Settings, Bucket};
use bailiwick_ledger::{Archive, ArchiveError};
use bailiwick_runtime::{EgressRules, Outbound, OutboundSettings};
use url::Url;

/// Makes a user whose key may do everything, and the bucket; from the fourth request on signatures are checked.
const PREPARE: &str = r#"
import json, sys, boto3
url = sys.argv[1]
def client(name, key="x", secret="x"):
    return boto3.client(name, endpoint_url=url, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret)
iam = client("iam")
iam.create_user(UserName="u")
key = iam.create_access_key(UserName="u")["AccessKey"]
every = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=json.dumps(every))
client("s3", key["AccessKeyId"], key["SecretAccessKey"]).create_bucket(Bucket="ledgers")
print(key["AccessKeyId"], key["SecretAccessKey"])
"#;

struct Server {
    child: Child,
    url: Url,
    access_key: String,
    secret_key: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// The Python that `cargo xtask setup` makes.
fn python() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.cache/py/bin/python");
    let there = run(&python, &["-c", "import moto.server, boto3"]).is_some();
    if !there {
        eprintln!("SKIPPED: no Python with moto; `cargo xtask setup` installs it");
    }
    there.then_some(python)
}

#[expect(clippy::disallowed_methods, reason = "the S3 server is a program of its own")]
fn run(python: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(python).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

#[expect(clippy::disallowed_methods, reason = "the S3 server is a program of its own")]
fn server() -> Option<Server> {
    let python = python()?;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let child = Command::new(&python)
        .args(["-m", "moto.server", "-p", &port.to_string()])
        .env("INITIAL_NO_AUTH_ACTION_COUNT", "3")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let url: Url = format!("http://127.0.0.1:{port}").parse().unwrap();
    let mut server = Server { child, url, access_key: String::new(), secret_key: String::new() };
    for _ in 0..400 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let key = run(&python, &["-c", PREPARE, server.url.as_str()]).unwrap();
    let (access, secret) = key.trim().split_once(' ').unwrap();
    (server.access_key, server.secret_key) = (access.to_owned(), secret.to_owned());
    Some(server)
}

fn archive(server: &Server, secret: &str, allowed: &str) -> Archive {
    let rules = EgressRules::new(allowed.split_terminator(' ').map(|entry| entry.parse().unwrap()).collect());
    let outbound = Outbound::new(OutboundSettings { rules, ..OutboundSettings::default() }).unwrap();
    let bucket = Bucket {
        name: "ledgers".into(),
        prefix: "node/1".into(),
        endpoint: Some(server.url.clone()),
        region: "us-east-1".into(),
        access_key: server.access_key.clone().into(),
        secret_key: secret.to_owned().into(),
    };
    Archive::new(&Settings::Bucket(bucket), &outbound).unwrap()
}

#[tokio::test]
async fn a_bucket_gets_files_of_any_length_once_and_keeps_them() {
    let Some(server) = server() else { return };
    let home = tempfile::tempdir().unwrap();
    let archive = archive(&server, &server.secret_key, "127.0.0.0/8:*");
    archive.claim("a/ledger", home.path()).await.unwrap();
    archive.claim("a/ledger", home.path()).await.unwrap();
    let other = archive.claim("b/ledger", home.path()).await;
    assert!(matches!(other, Err(ArchiveError::OtherLedger(owner)) if owner == "a/ledger"));
    // The long one goes in three parts.
    for (name, length) in [("empty", 0), ("short", 1000), ("long", (17 << 20) + 1)] {
        let path = home.path().join(name);
        let mut file = std::fs::File::create(&path).unwrap();
        for n in 0..length / 1000 + 1 {
            let line = format!("{n:0>999}\n");
            file.write_all(&line.as_bytes()[..1000.min(length - n * 1000)]).unwrap();
        }
        assert!(matches!(archive.check(&path).await, Err(ArchiveError::Missing(_))), "{name}");
        archive.put(&path).await.unwrap();
        archive.put(&path).await.unwrap();
        archive.check(&path).await.unwrap();
        assert_eq!(archive.lengths().await.unwrap()[name], length as u64);
        std::fs::write(&path, format!("another {name}")).unwrap();
        for told in [archive.put(&path).await, archive.check(&path).await] {
            assert!(matches!(told, Err(ArchiveError::Different(_))), "{told:?}");
        }
    }
    assert_eq!(archive.place(), "s3://ledgers/node/1");
}

#[tokio::test]
async fn a_wrong_secret_is_refused_and_a_forbidden_bucket_is_not_dialled() {
    let Some(server) = server() else { return };
    let home = tempfile::tempdir().unwrap();
    let wrong = archive(&server, "not-the-secret", "127.0.0.0/8:*").claim("a/ledger", home.path()).await;
    let said = format!("{:?}", wrong.unwrap_err());
    assert!(said.contains("403") && !said.contains("not-the-secret"), "{said}");
    let forbidden = archive(&server, &server.secret_key, "").claim("a/ledger", home.path()).await;
    let said = format!("{:?}", forbidden.unwrap_err());
    assert!(said.contains("Forbidden"), "{said}");
}
