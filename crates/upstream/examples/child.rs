//! The smallest executable that can be the helper of stdio servers, and a scripted stdio server for this crate's tests:
//! what it does is its first argument.
//!
//! - `legacy`, `modern`, `both`: a polite server of these eras
//! - `crash`, `deaf`, `garbage`, `long-line`, `flood`: servers that do harm
//! - `gateway SCRATCH MARKER MODE`: a gateway of one such server, which waits to be killed

#![expect(clippy::disallowed_methods, clippy::zombie_processes, reason = "a program for tests")]
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a program for tests")]

use std::io::{BufRead, Write};
use std::process::Command;

use bailiwick_upstream::confine;
use serde_json::{Value, json};

fn main() {
    if confine::is_helper(std::env::args_os().skip(1)) {
        confine::main(std::env::args_os().skip(1));
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str).unwrap_or_default() {
        "legacy" => serve(true, false),
        "modern" => serve(false, true),
        "both" => serve(true, true),
        "crash" => std::process::exit(3),
        "deaf" => std::thread::sleep(std::time::Duration::from_secs(3600)),
        "garbage" => endless(&mut std::io::stdout(), b"no JSON\n{\"jsonrpc\":\n\x1b[31mred\n"),
        "long-line" => endless(&mut std::io::stdout(), &[b'x'; 1 << 16]),
        "flood" => {
            std::thread::spawn(|| endless(&mut std::io::stderr(), b"\x1b[31mlots to say\n"));
            serve(true, false);
        }
        "gateway" => gateway(&args),
        other => panic!("what is {other:?}?"),
    }
}

/// Starts a confined child that starts daemons, says so, and waits to be killed.
fn gateway(args: &[String]) {
    let [_, scratch, marker, mode] = args else { panic!("gateway SCRATCH MARKER auto|off") };
    let plan = confine::Plan {
        command: std::env::current_exe().unwrap(),
        args: vec!["legacy".to_owned()],
        cwd: None,
        scratch: scratch.into(),
        read: Vec::new(),
        write: Vec::new(),
        network: false,
        namespaces: true,
        uid: 1_950_000_000,
        memory_bytes: None,
        processes: None,
        mode: if mode == "off" { confine::Mode::Off } else { confine::Mode::Auto },
        report: confine::Report::default(),
    };
    let piped = std::process::Stdio::piped;
    let mut helper = Command::new("/proc/self/exe")
        .args(plan.arguments().unwrap())
        .stdin(piped())
        .stdout(piped())
        .stderr(piped())
        .spawn()
        .unwrap();
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "daemons", "arguments": {"marker": marker}}});
    writeln!(helper.stdin.as_mut().unwrap(), "{call}").unwrap();
    let mut answer = String::new();
    std::io::BufReader::new(helper.stdout.as_mut().unwrap()).read_line(&mut answer).unwrap();
    print!("{answer}");
    std::thread::sleep(std::time::Duration::from_secs(3600));
}

fn endless(to: &mut impl Write, what: &[u8]) {
    while to.write_all(what).is_ok() {}
}

fn send(message: &Value) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{message}").unwrap();
    out.flush().unwrap();
}

fn serve(legacy: bool, modern: bool) {
    let mut calls = 0_u64;
    let mut input = std::io::stdin().lock();
    loop {
        let mut line = String::new();
        if input.read_line(&mut line).unwrap() == 0 {
            return;
        }
        let message: Value = serde_json::from_str(&line).unwrap();
        let (id, params) = (&message["id"], &message["params"]);
        let result = match message["method"].as_str().unwrap_or_default() {
            "initialize" if legacy => json!({
                "protocolVersion": params["protocolVersion"], "capabilities": {"tools": {"listChanged": true}},
                "serverInfo": {"name": "child", "version": "1"}, "seen": params["capabilities"],
            }),
            "server/discover" if modern => json!({
                "resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}},
                "ttlMs": 0, "cacheScope": "private",
            }),
            "tools/list" => json!({"tools": [
                {"name": "echo", "inputSchema": {"type": "object"}, "x-kept": [1, 2]},
                {"name": "bad\u{7}", "inputSchema": {"type": "object"}},
            ]}),
            "tools/call" => {
                calls += 1;
                match call(id, params, calls, &mut input) {
                    Some(result) => result,
                    None => continue,
                }
            }
            "notifications/cancelled" => {
                send(&json!({"jsonrpc": "2.0", "method": "notifications/message",
                    "params": {"level": "info", "data": {"cancelled": params["requestId"]}}}));
                continue;
            }
            method if method.starts_with("notifications/") => continue,
            _ => {
                send(&json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32601, "message": "unknown"}}));
                continue;
            }
        };
        send(&json!({"jsonrpc": "2.0", "id": id, "result": result}));
    }
}

/// Does what the call's name says; `None` if it answers by itself, or never.
fn call(id: &Value, params: &Value, calls: u64, input: &mut impl BufRead) -> Option<Value> {
    let arguments = &params["arguments"];
    Some(match params["name"].as_str().unwrap() {
        "echo" => {
            json!({"echo": arguments, "pid": std::process::id(), "calls": calls, "meta": params["_meta"]})
        }
        "progress" => {
            let token = &params["_meta"]["progressToken"];
            send(&json!({"jsonrpc": "2.0", "method": "notifications/progress",
                "params": {"progressToken": token, "progress": 1}}));
            json!({"done": true})
        }
        "ask" => {
            send(&json!({"jsonrpc": "2.0", "id": "q1", "method": "sampling/createMessage", "params": {}}));
            let mut line = String::new();
            input.read_line(&mut line).unwrap();
            json!({"told": serde_json::from_str::<Value>(&line).unwrap()})
        }
        "hang" => return None,
        "stray" => {
            send(&json!({"jsonrpc": "2.0", "id": 987_654, "result": {"for": "nobody"}}));
            send(&json!({"jsonrpc": "2.0", "id": id.as_u64().unwrap() + 1, "result": {"for": "another"}}));
            json!({"for": "this"})
        }
        "die" => std::process::exit(4),
        "daemons" => daemons(arguments["marker"].as_str().unwrap()),
        "look" => look(arguments),
        "eat" => {
            let mut held = Vec::new();
            for _ in 0..arguments["mb"].as_u64().unwrap() {
                held.push(vec![1_u8; 1 << 20]);
            }
            json!({"ate": held.len()})
        }
        other => json!({"isError": true, "content": [{"type": "text", "text": other}]}),
    })
}

/// Processes that leave their parent and session, and ignore polite signals.
fn daemons(marker: &str) -> Value {
    let script = format!(
        "trap '' TERM HUP INT; (setsid sh -c \"trap '' TERM HUP; sleep {marker} & wait\" &) ; sleep {marker}"
    );
    Command::new("/bin/sh").args(["-c", &script]).stdin(std::process::Stdio::null()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    json!({"started": true})
}

/// What a confined program finds.
fn look(arguments: &Value) -> Value {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).map(str::to_owned)
    };
    let list = |folder: &str| -> Vec<String> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    let path = |name: &str| arguments[name].as_str().unwrap_or("/nowhere").to_owned();
    // The first is the folder being listed.
    let fds = list("/proc/self/fd").len().saturating_sub(1);
    let environment: std::collections::BTreeMap<String, String> = std::env::vars().collect();
    json!({
        "uid": field("Uid:"), "no_new_privs": field("NoNewPrivs:"), "seccomp": field("Seccomp:"),
        "capabilities": field("CapEff:"), "fds": fds, "environment": environment,
        "cwd": std::env::current_dir().ok(), "cwd_entries": list(".").len(),
        "processes": list("/proc").iter().filter(|name| name.parse::<u32>().is_ok()).count(),
        "reads": std::fs::read_to_string(path("read")).is_ok(),
        "writes": std::fs::write(path("write"), "x").is_ok(),
        "writes_tmp": std::fs::write("/tmp/x", "x").is_ok(),
        "writes_cwd": std::fs::write("x", "x").is_ok(),
        "connects": std::net::TcpStream::connect(path("connect")).is_ok(),
        "mounts": Command::new("/bin/mount").args(["-t", "tmpfs", "none", "/tmp"]).output().is_ok_and(|o| o.status.success()),
        "unshares": Command::new("/usr/bin/unshare").args(["-U", "true"]).output().is_ok_and(|o| o.status.success()),
    })
}
