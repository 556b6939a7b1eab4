//! The fixture on stdio, well-behaved and otherwise.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::wire::{legacy, modern};

const PATIENCE: Duration = Duration::from_secs(10);

struct Process {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bailiwick-fixture"))
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, input, output }
    }

    async fn send(&mut self, message: &str) {
        self.input.write_all(message.as_bytes()).await.unwrap();
        self.input.write_all(b"\n").await.unwrap();
    }

    /// The answer with this id; other lines are passed over.
    async fn answer(&mut self, id: u64) -> Value {
        loop {
            let line = timeout(PATIENCE, self.output.next_line()).await.unwrap().unwrap();
            let message: Value = serde_json::from_str(&line.expect("the process ended")).unwrap_or_default();
            if message["id"] == id {
                return message;
            }
        }
    }

    async fn status(mut self) -> Option<i32> {
        drop(self.input);
        timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap().code()
    }
}

fn initialize() -> String {
    let client = json!({ "name": "test", "version": "1" });
    legacy(
        1,
        "initialize",
        &json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client }),
    )
}

async fn open(process: &mut Process) {
    process.send(&initialize()).await;
    assert_eq!(process.answer(1).await["result"]["protocolVersion"], "2025-11-25");
    process.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string()).await;
}

#[tokio::test]
async fn the_fixture_speaks_the_legacy_era_on_stdio_and_ends_with_its_input() {
    let mut process = Process::start(&["--stdio"]);
    open(&mut process).await;
    process.send(&legacy(2, "tools/call", &json!({ "name": "test_simple_text", "arguments": {} }))).await;
    let answer = process.answer(2).await;
    assert!(answer["result"]["content"][0]["text"].is_string() && answer["result"]["resultType"].is_null());
    assert_eq!(process.status().await, Some(0));
}

#[tokio::test]
async fn the_fixture_speaks_the_modern_era_on_stdio() {
    let mut process = Process::start(&["--stdio"]);
    process.send(&modern(1, "server/discover", json!({}))).await;
    let versions = process.answer(1).await["result"]["supportedVersions"].clone();
    assert!(versions.as_array().unwrap().contains(&json!("2026-07-28")), "{versions}");
    process.send(&modern(2, "tools/list", json!({}))).await;
    let list = process.answer(2).await;
    assert_eq!(list["result"]["resultType"], "complete");
    process.send(&modern(3, "tools/call", json!({ "name": "test_simple_text", "arguments": {} }))).await;
    assert_eq!(process.answer(3).await["result"]["resultType"], "complete");
}

#[tokio::test]
async fn garbage_and_floods_stand_between_good_answers() {
    for kind in ["garbage", "stderr-flood", "grandchild"] {
        let mut process = Process::start(&["--misbehave", kind]);
        let mut error = process.child.stderr.take().unwrap();
        let mut seen = vec![0; 1024];
        if kind != "garbage" {
            let read = timeout(PATIENCE, error.read(&mut seen)).await.unwrap().unwrap();
            assert!(read > 0);
        }
        if kind == "grandchild" {
            let line: Value =
                serde_json::Deserializer::from_slice(&seen).into_iter().next().unwrap().unwrap();
            let grandchild = line["grandchild"].as_u64().unwrap().to_string();
            let killed = Command::new("kill").arg(&grandchild).status().await.unwrap();
            assert!(killed.success());
            continue;
        }
        let drain = async { tokio::io::copy(&mut error, &mut tokio::io::sink()).await };
        tokio::select! { () = open(&mut process) => {}, _ = drain => unreachable!("standard error ended") }
    }
}

#[tokio::test]
async fn a_crash_loop_exits_at_once_and_a_long_line_is_long() {
    assert_eq!(Process::start(&["--misbehave", "exits"]).status().await, Some(3));
    let process = Process::start(&["--misbehave", "long-line"]);
    let mut output = process.output.into_inner().take(100_000_000);
    let read =
        timeout(PATIENCE, tokio::io::copy(&mut output, &mut tokio::io::sink())).await.unwrap().unwrap();
    assert_eq!(read, 100_000_000);
}

#[tokio::test]
async fn one_that_ignores_sigterm_is_still_there_after_it() {
    let mut process = Process::start(&["--misbehave", "ignores-term"]);
    open(&mut process).await;
    let id = process.child.id().unwrap().to_string();
    assert!(Command::new("kill").arg(&id).status().await.unwrap().success());
    process.send(&legacy(2, "ping", &json!({}))).await;
    assert_eq!(process.answer(2).await["result"], json!({}));
    drop(process.input);
    assert!(timeout(Duration::from_millis(300), process.child.wait()).await.is_err());
    process.child.kill().await.unwrap();
}
