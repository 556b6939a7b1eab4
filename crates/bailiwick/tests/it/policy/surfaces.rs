//! The same forbidden thing by every surface, at every door, in every revision: absent, recorded, never carried.

use bailiwick_testkit::upstream::Eras;
use serde_json::{Value, json};

use crate::support::{Client, DOORS, ERAS, Era, Stage};

/// A forbidden request, and the same for something that nobody has.
struct Attack {
    what: &'static str,
    method: &'static str,
    forbidden: Value,
    absent: Value,
}

/// URIs that a careless reading takes for something granted.
const ESCAPES: &[&str] = &[
    "file:///logs/../closed.txt",
    "file:///logs/..",
    "file:///logs/%2e%2e/closed.txt",
    "file:///logs/%2E%2E",
    "file:///logs/a%2fb",
    "file:///logs/a%2f..%2f..%2fclosed.txt",
    "file:///logs/..\\closed.txt",
    "file:///logs/a/../../closed.txt",
    "file:///logs/%252e%252e",
    "file:///logs/a\u{0}",
    "file:///logs/",
    "FILE:///open.txt",
    "file:///open.txt?x",
    "file:///open.txt/",
    "file:////open.txt",
    "",
];

/// What, by which method, the forbidden and the absent.
type Surface = (&'static str, &'static str, Value, Value);

fn attacks(eras: Eras, era: Era, prefix: &str) -> Vec<Attack> {
    let uri = |uri: &str| if prefix.is_empty() { uri.to_owned() } else { format!("files+{uri}") };
    let tool = |name: &str, more: Value| {
        let mut params = json!({"name": format!("{prefix}{name}"), "arguments": {}});
        for (key, value) in more.as_object().unwrap() {
            params[key] = value.clone();
        }
        params
    };
    let prompt = |name: &str| json!({"name": format!("{prefix}{name}")});
    let complete = |kind: &str, member: &str, name: String| json!({"ref": {"type": kind, member: name}, "argument": {"name": "a", "value": "b"}});
    let read = |own: &str| json!({"uri": uri(own)});
    let nothing = read("file:///nothing.txt");
    let mut all: Vec<Surface> = vec![
        ("a call", "tools/call", tool("secret", json!({})), tool("absent", json!({}))),
        (
            "a retry with answers",
            "tools/call",
            tool("secret", json!({"inputResponses": {"a": {}}, "requestState": "x"})),
            tool("absent", json!({"inputResponses": {"a": {}}, "requestState": "x"})),
        ),
        (
            "a retry without state",
            "tools/call",
            tool("secret", json!({"inputResponses": {}})),
            tool("absent", json!({"inputResponses": {}})),
        ),
        (
            "a call as task",
            "tools/call",
            tool("secret", json!({"task": {}})),
            tool("absent", json!({"task": {}})),
        ),
        ("a prompt", "prompts/get", prompt("hidden"), prompt("absent")),
        (
            "completion of a prompt",
            "completion/complete",
            complete("ref/prompt", "name", format!("{prefix}hidden")),
            complete("ref/prompt", "name", format!("{prefix}absent")),
        ),
        (
            "completion of a resource",
            "completion/complete",
            complete("ref/resource", "uri", uri("file:///closed.txt")),
            complete("ref/resource", "uri", uri("file:///nothing.txt")),
        ),
        ("a forbidden resource", "resources/read", read("file:///closed.txt"), nothing.clone()),
        ("a URI that is not listed", "resources/read", read("file:///etc/passwd"), nothing.clone()),
    ];
    for escape in ESCAPES {
        all.push(("an escape", "resources/read", read(escape), nothing.clone()));
    }
    all.extend(attacks_of(eras, era, prefix));
    all.into_iter()
        .map(|(what, method, forbidden, absent)| Attack { what, method, forbidden, absent })
        .collect()
}

/// Those that only some revisions know.
fn attacks_of(eras: Eras, era: Era, prefix: &str) -> Vec<Surface> {
    let uri = |uri: &str| if prefix.is_empty() { uri.to_owned() } else { format!("files+{uri}") };
    let mut all = Vec::new();
    match era {
        Era::Legacy(_) => {
            let read = |own: &str| json!({"uri": uri(own)});
            for method in ["resources/subscribe", "resources/unsubscribe"] {
                all.push((
                    "following a resource",
                    method,
                    read("file:///closed.txt"),
                    read("file:///nothing.txt"),
                ));
            }
        }
        Era::Modern => {
            let task = |id: &str| json!({"taskId": id});
            for method in ["tasks/get", "tasks/cancel", "tasks/update"] {
                all.push(("a task", method, task("scripted-task"), task("x")));
            }
            // Where the gateway feeds the stream itself, resources are not followed, and not acknowledged.
            if prefix.is_empty() && eras != Eras::Legacy {
                let follow = |own: &str| json!({"notifications": {"resourceSubscriptions": [uri(own)]}});
                let (closed, absent) = (follow("file:///closed.txt"), follow("file:///nothing.txt"));
                all.push(("a subscription", "subscriptions/listen", closed, absent));
            }
        }
    }
    all
}

/// Every surface, of one client at one door.
async fn attack(stage: &Stage, eras: Eras, bot: &Client, era: Era, (path, prefix): (&str, &str)) {
    let before = stage.app.records_of("denied").len();
    let mut names = Vec::new();
    for Attack { what, method, forbidden, absent } in attacks(eras, era, prefix) {
        let named = |params: &Value| -> String {
            let name = [
                &params["name"],
                &params["uri"],
                &params["ref"]["name"],
                &params["ref"]["uri"],
                &params["taskId"],
            ];
            let followed = &params["notifications"]["resourceSubscriptions"][0];
            name.into_iter().chain([followed]).find_map(Value::as_str).unwrap().to_owned()
        };
        let asked = named(&forbidden);
        let denied = bot.ask(path, era, method, forbidden.clone()).await;
        let unknown = bot.ask(path, era, method, absent.clone()).await;
        names.extend([asked.clone(), named(&absent)]);
        assert_eq!(denied.status, unknown.status, "{what} {era:?} {path} {denied:?} {unknown:?}");
        let (denied, unknown) = (denied.error(), unknown.error());
        let plain = |error: &Value, name: &str| {
            error.to_string().replace(json!(name).to_string().trim_matches('"'), "NAME")
        };
        if asked.is_empty() {
            assert_eq!(denied["code"], unknown["code"]);
        } else {
            assert_eq!(plain(&denied, &asked), plain(&unknown, &named(&absent)), "{what} {era:?} {path}");
        }
    }
    // One denial for each, with the policy's generation.
    let records = stage.app.records_of("denied").split_off(before);
    let asked: Vec<_> = records.iter().map(|record| record["asked"].as_str().unwrap()).collect();
    assert_eq!(asked, names, "{era:?} {path}");
    for record in records {
        assert!(record["why"]["generation"].as_u64().unwrap() > 0, "{record}");
        assert_eq!(record["what"]["endpoint"], path);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forbidden_thing_is_absent_on_every_surface_where_both_sides_speak_alike() {
    every_surface(Eras::Both).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forbidden_thing_is_absent_on_every_surface_of_a_legacy_server() {
    every_surface(Eras::Legacy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forbidden_thing_is_absent_on_every_surface_of_a_modern_server() {
    every_surface(Eras::Modern).await;
}

async fn every_surface(eras: Eras) {
    let stage = Stage::new(eras).await;
    for era in ERAS {
        for door in DOORS {
            let mut bot = stage.bot.clone();
            bot.enter(door.0, era).await;
            for (list, own) in [
                ("tools/list", "echo"),
                ("prompts/list", "greet"),
                ("resources/list", "file:///open.txt"),
                ("resources/templates/list", "file:///logs/{name}"),
            ] {
                let prefix =
                    if list.starts_with("resources") && !door.1.is_empty() { "files+" } else { door.1 };
                assert_eq!(
                    bot.names(door.0, era, list).await,
                    [format!("{prefix}{own}")],
                    "{era:?} {door:?}"
                );
            }
            attack(&stage, eras, &bot, era, door).await;
            assert_eq!(stage.contacts().len(), 0, "{era:?} {door:?} {:?}", stage.contacts());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_granted_works_where_the_forbidden_beside_it_does_not() {
    let stage = Stage::new(Eras::Both).await;
    for era in ERAS {
        for (path, prefix) in DOORS {
            let mut bot = stage.bot.clone();
            bot.enter(path, era).await;
            assert_eq!(
                stage.echo(&bot, era, (path, prefix), "hi").await.result()["content"][0]["text"],
                "hi"
            );
            let got = bot.ask(path, era, "prompts/get", json!({"name": format!("{prefix}greet")})).await;
            assert!(got.result()["messages"].is_array());
            for own in ["file:///open.txt", "file:///logs/a.txt", "file:///logs/%C3%A4"] {
                let uri = if prefix.is_empty() { own.to_owned() } else { format!("files+{own}") };
                let read = bot.ask(path, era, "resources/read", json!({"uri": uri})).await.result();
                assert_eq!(read["contents"][0]["uri"], uri);
                if era == Era::Modern {
                    assert_eq!(read["cacheScope"], "private");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn someone_without_a_grant_sees_nothing_and_reaches_nothing() {
    let stage = Stage::bare(Eras::Both).await;
    for era in ERAS {
        let mut bot = stage.bot.clone();
        bot.enter("/mcp", era).await;
        for list in ["tools/list", "prompts/list", "resources/list", "resources/templates/list"] {
            assert!(bot.names("/mcp", era, list).await.is_empty(), "{era:?} {list}");
        }
        let before = stage.app.records_of("denied").len();
        for name in ["files__echo", "files__secret"] {
            let params = json!({"name": name, "arguments": {}});
            let denied = bot.ask("/mcp", era, "tools/call", params).await.error();
            assert_eq!(denied["message"], format!("Unknown tool: {name}"));
        }
        // A server's name in a URI tells no more than any other.
        for (method, wanted) in [("resources/read", true), ("resources/subscribe", era != Era::Modern)] {
            if wanted {
                let mine = bot.ask("/mcp", era, method, json!({"uri": "files+x:y"})).await.error();
                let none = bot.ask("/mcp", era, method, json!({"uri": "filez+x:y"})).await.error();
                assert_eq!(mine.to_string(), none.to_string().replace("filez", "files"));
            }
        }
        assert!(stage.app.records_of("denied").len() >= before + 4);
    }
    assert_eq!(stage.contacts().len(), 0);
}
