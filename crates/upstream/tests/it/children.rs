//! Stdio servers: start, sharing, ids, faults, ends.

use std::time::{Duration, Instant};

use bailiwick_model::server::{Sharing, Transport};
use bailiwick_upstream::{AnswerBody, Conversation, State, UpstreamError};
use serde_json::{Value, json};

use crate::world::*;

#[tokio::test]
async fn both_eras_are_found_and_spoken() {
    for (behaviour, eras) in [
        ("both", &["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"][..]),
        ("modern", &["2026-07-28"]),
        ("legacy", &["2025-11-25", "2025-06-18", "2025-03-26"]),
    ] {
        let spec = stdio(1, behaviour);
        let world = World::new(vec![spec.clone()]);
        let found = world.discover(0).await.unwrap();
        assert_eq!(found.eras, eras, "{behaviour}");
        assert_eq!(found.definitions.len(), 1);
        assert!(found.definitions[0].raw.get().contains("\"x-kept\":[1,2]"));
        assert_eq!(found.dropped.len(), 1);
        let conversation =
            if eras[0] == "2026-07-28" { modern(&spec, ALICE) } else { own(&spec, ALICE, None) };
        let answer = world.call(&conversation, "echo", json!({"a": 1})).await.unwrap();
        assert_eq!((&answer["id"], &answer["result"]["echo"]["a"]), (&json!(1), &json!(1)));
    }
}

#[tokio::test]
async fn a_child_is_shared_by_a_principal_s_sessions_and_never_between_principals() {
    let spec = stdio(1, "legacy");
    let world = World::new(vec![spec.clone()]);
    let alice = own(&spec, ALICE, None);
    let second = Conversation { client: 77, ..alice.clone() };
    let bob = own(&spec, BOB, None);
    let mut pids = Vec::new();
    for conversation in [&alice, &second, &bob] {
        pids.push(world.call(conversation, "echo", json!({})).await.unwrap()["result"]["calls"].clone());
    }
    assert_eq!(pids, [json!(1), json!(2), json!(1)]);
    assert_eq!(world.health(0).children, 2);
}

#[tokio::test]
async fn a_stateless_server_has_one_child_which_is_offered_no_client_features() {
    let mut spec = stdio(1, "both");
    change(&mut spec, |server| {
        if let Transport::Stdio { sharing, .. } = &mut server.transport {
            *sharing = Sharing::Stateless;
        }
    });
    let world = World::new(vec![spec.clone()]);
    for (count, principal) in [(1, ALICE), (2, BOB)] {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "echo",
            "_meta": {"io.modelcontextprotocol/clientCapabilities": {"sampling": {}, "elicitation": {}, "roots": {}, "x": {}}}}});
        let answer = last(world.send(&modern(&spec, principal), body).await.unwrap()).await.unwrap();
        assert_eq!(answer["result"]["calls"], count);
        assert_eq!(answer["result"]["meta"]["io.modelcontextprotocol/clientCapabilities"], json!({"x": {}}));
    }
    let initialize = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}});
    let hello = last(world.send(&own(&spec, ALICE, None), initialize).await.unwrap()).await.unwrap();
    assert_eq!((&hello["id"], &hello["result"]["seen"]), (&json!(0), &json!({})));
}

#[tokio::test]
async fn answers_progress_and_strays_go_where_they_belong() {
    let spec = stdio(1, "legacy");
    let world = World::new(vec![spec.clone()]);
    let conversation = own(&spec, ALICE, None);
    let body = json!({"jsonrpc": "2.0", "id": "1", "method": "tools/call",
        "params": {"name": "progress", "_meta": {"progressToken": "tok"}}});
    let messages = all(world.send(&conversation, body).await.unwrap()).await.unwrap();
    assert_eq!(messages[0]["params"]["progressToken"], "tok");
    assert_eq!((&messages[1]["id"], &messages[1]["result"]["done"]), (&json!("1"), &json!(true)));
    let answer = world.call(&conversation, "stray", json!({})).await.unwrap();
    assert_eq!(answer["result"]["for"], "this");
    assert_eq!(world.health(0).strays, 2);
}

#[tokio::test]
async fn a_child_s_request_reaches_the_session_that_called_and_its_answer_comes_back() {
    let spec = stdio(1, "legacy");
    let world = World::new(vec![spec.clone()]);
    let conversation = own(&spec, ALICE, None);
    let answer = world.send(&conversation, call_body(json!(5), "ask", json!({}))).await.unwrap();
    let AnswerBody::Stream(mut stream) = answer.body else { panic!() };
    let asked: Value = serde_json::from_slice(&stream.next().await.unwrap().unwrap().data.unwrap()).unwrap();
    let reply = json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"said": "yes"}}).to_string();
    let stranger = Conversation { client: 4711, ..conversation.clone() };
    let permit = world.permit(0, ALICE);
    assert_eq!(world.upstreams.respond(&permit, &stranger, reply.clone().into()).await.unwrap().status, 400);
    assert_eq!(world.upstreams.respond(&permit, &conversation, reply.into()).await.unwrap().status, 202);
    let last: Value = serde_json::from_slice(&stream.next().await.unwrap().unwrap().data.unwrap()).unwrap();
    assert_eq!(last["result"]["told"], json!({"jsonrpc": "2.0", "id": "q1", "result": {"said": "yes"}}));
}

#[tokio::test]
async fn a_request_that_is_given_up_is_cancelled_and_unasked_messages_reach_listeners() {
    let spec = impatient(stdio(1, "legacy"));
    let world = World::new(vec![spec.clone()]);
    let conversation = own(&spec, ALICE, None);
    let listening = world.upstreams.listen(&world.permit(0, ALICE), &conversation, None).await.unwrap();
    let AnswerBody::Stream(mut stream) = listening.body else { panic!() };
    let hung = world.call(&conversation, "hang", json!({})).await;
    assert!(matches!(hung, Err(UpstreamError::Timeout(_))), "{hung:?}");
    let told: Value = serde_json::from_slice(&stream.next().await.unwrap().unwrap().data.unwrap()).unwrap();
    assert!(told["params"]["data"]["cancelled"].is_u64(), "{told}");
}

#[tokio::test]
async fn harmful_children_cost_bounded_time_and_disturb_nobody() {
    let good = stdio(9, "legacy");
    for behaviour in ["deaf", "garbage", "long-line"] {
        let bad = impatient(stdio(1, behaviour));
        let setting = Setting { config: "[limits]\nanswer_bytes = 1048576\n", ..Setting::default() };
        let world = World::with(setting, vec![bad.clone(), good.clone()]);
        let started = Instant::now();
        let (ill, well) = (own(&bad, ALICE, None), own(&good, ALICE, None));
        let (ill, well) =
            tokio::join!(world.call(&ill, "echo", json!({})), world.call(&well, "echo", json!({})));
        ill.expect_err(behaviour);
        well.expect(behaviour);
        assert!(started.elapsed() < Duration::from_secs(8), "{behaviour}: {:?}", started.elapsed());
    }
}

#[tokio::test]
async fn a_flood_on_standard_error_does_not_hold_up_answers() {
    let spec = stdio(1, "flood");
    let world = World::new(vec![spec.clone()]);
    for _ in 0..20 {
        world.call(&own(&spec, ALICE, None), "echo", json!({})).await.unwrap();
    }
}

#[tokio::test]
async fn a_crash_loop_backs_off_by_the_clock_and_fails_fast_meanwhile() {
    let spec = stdio(1, "crash");
    let clock = frozen();
    let world = World::with(Setting { clock: clock.clone(), ..Setting::default() }, vec![spec.clone()]);
    let conversation = modern(&spec, ALICE);
    let mut starts = 0;
    for wait in [1, 2, 4] {
        let crashed = world.call(&conversation, "echo", json!({})).await.unwrap_err();
        assert!(matches!(crashed, UpstreamError::Cut | UpstreamError::Unreachable(_)), "{crashed:?}");
        starts += 1;
        until("its end", Duration::from_secs(5), || world.health(0).children == 0).await;
        clock.advance(Duration::from_millis(wait * 1000 - 1));
        let fast = fastest(async || {
            let waiting = world.call(&conversation, "echo", json!({})).await.unwrap_err();
            assert!(matches!(waiting, UpstreamError::BackingOff), "{waiting:?}");
        });
        assert!(fast.await < Duration::from_millis(20));
        clock.advance(Duration::from_millis(1));
    }
    assert_eq!(starts, 3);
    assert_eq!(world.health(0).state, State::Down);
}

#[tokio::test]
async fn a_child_that_died_is_started_again_and_an_idle_one_is_stopped() {
    let spec = stdio(1, "legacy");
    let clock = frozen();
    let world = World::with(Setting { clock: clock.clone(), ..Setting::default() }, vec![spec.clone()]);
    let conversation = own(&spec, ALICE, None);
    world.call(&conversation, "echo", json!({})).await.unwrap();
    let died = world.call(&conversation, "die", json!({})).await.unwrap_err();
    assert!(died.may_have_run(), "{died:?}");
    until("its end", Duration::from_secs(5), || world.health(0).children == 0).await;
    clock.advance(Duration::from_secs(2));
    let answer = world.call(&conversation, "echo", json!({})).await.unwrap();
    assert_eq!(answer["result"]["calls"], 1, "a new process");
    clock.advance(Duration::from_secs(601));
    until("the idle stop", Duration::from_secs(15), || world.health(0).children == 0).await;
}

#[tokio::test]
async fn a_server_whose_program_may_not_run_is_told_apart_without_a_path() {
    let spec = stdio(1, "legacy");
    let setting = Setting { config: "[upstream]\nallowed_commands = [\"npx\"]\n", ..Setting::default() };
    let world = World::with(setting, vec![spec.clone()]);
    let refused = world.call(&modern(&spec, ALICE), "echo", json!({})).await.unwrap_err();
    assert!(refused.to_string().contains("not among those that may be started"), "{refused}");
    assert!(!refused.to_string().contains('/'), "{refused}");
}

#[tokio::test]
async fn a_server_that_is_removed_or_changed_loses_its_children() {
    let spec = stdio(1, "legacy");
    let world = World::new(vec![spec.clone()]);
    let conversation = own(&spec, ALICE, None);
    let pid = |answer: &Value| answer["result"]["calls"].clone();
    world.call(&conversation, "echo", json!({})).await.unwrap();
    world.upstreams.apply(vec![spec.clone()]);
    assert_eq!(pid(&world.call(&conversation, "echo", json!({})).await.unwrap()), 2, "unchanged");
    let mut changed = spec.clone();
    change(&mut changed, |server| server.timeouts.idle_ms += 1);
    world.upstreams.apply(vec![changed]);
    assert_eq!(pid(&world.call(&conversation, "echo", json!({})).await.unwrap()), 1, "a new process");
    world.upstreams.apply(Vec::new());
    // What the tasks still do is ending the children.
    let scratch = world.folder.path().join("scratch");
    let is_empty = || std::fs::read_dir(&scratch).unwrap().count() == 0;
    until("the end of both", Duration::from_secs(10), is_empty).await;
}
