use super::*;

fn server(text: &str) -> Frame<'_> {
    frame(text.as_bytes(), &Limits::default()).unwrap()
}

fn text(body: &Bytes) -> &str {
    std::str::from_utf8(body).unwrap()
}

const CALL: &[u8] =
    br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","_meta":{"progressToken":1},"extra":{"k":1}}}"#;

#[test]
fn equal_ids_of_two_clients_never_meet() {
    let exchange = Exchange::default();
    let (a, sent) = exchange.begin(7, CALL).unwrap();
    let (b, _) = exchange.begin(8, CALL).unwrap();
    assert_ne!(a, b);
    assert!(
        text(&sent).contains(r#""extra":{"k":1}"#)
            && text(&sent).contains(&format!(r#""progressToken":{a}"#))
    );
    let answer = format!(r#"{{"jsonrpc":"2.0","id":{b},"result":{{"for":"b"}}}}"#);
    let Inbound::Final(number, body) = exchange.sort(server(&answer)).unwrap() else { panic!() };
    assert_eq!((number, text(&body)), (b, r#"{"jsonrpc":"2.0","id":1,"result":{"for":"b"}}"#));
    assert_eq!(exchange.sort(server(&answer)).unwrap(), Inbound::Stray, "a second answer");
    assert!(exchange.end(a) && !exchange.end(b));
}

#[test]
fn a_string_id_and_a_string_token_come_back_as_they_were() {
    let exchange = Exchange::default();
    let body = br#"{"jsonrpc":"2.0","id":"1","method":"m","params":{"_meta":{"progressToken":"tok"}}}"#;
    let (n, _) = exchange.begin(7, body).unwrap();
    let progress = format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{n},"progress":1}}}}"#
    );
    let Inbound::About(number, told) = exchange.sort(server(&progress)).unwrap() else { panic!() };
    assert_eq!(number, n);
    assert!(text(&told).contains(r#""progressToken":"tok""#));
    let answer = format!(r#"{{"jsonrpc":"2.0","id":{n},"error":{{"code":1,"message":"no"}}}}"#);
    let Inbound::Final(_, body) = exchange.sort(server(&answer)).unwrap() else { panic!() };
    assert!(text(&body).contains(r#""id":"1""#));
}

#[test]
fn progress_without_a_token_or_of_nobody_is_a_stray() {
    let exchange = Exchange::default();
    let (n, _) = exchange.begin(7, br#"{"jsonrpc":"2.0","id":5,"method":"m"}"#).unwrap();
    for token in [n, n + 1] {
        let progress = format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token}}}}}"#
        );
        assert_eq!(exchange.sort(server(&progress)).unwrap(), Inbound::Stray);
    }
}

#[test]
fn only_the_session_that_was_asked_may_answer() {
    let exchange = Exchange::default();
    let Frame::Request(asks) =
        server(r#"{"jsonrpc":"2.0","id":"q","method":"sampling/createMessage","params":{}}"#)
    else {
        panic!()
    };
    let asked = exchange.ask(7, &asks).unwrap();
    assert!(!text(&asked).contains(r#""q""#));
    let reply = text(&asked).replace(r#""method":"sampling/createMessage","params":{}"#, r#""result":{}"#);
    assert_eq!(exchange.respond(8, reply.as_bytes()).unwrap(), None, "another session");
    let back = exchange.respond(7, reply.as_bytes()).unwrap().unwrap();
    assert_eq!(text(&back), r#"{"jsonrpc":"2.0","id":"q","result":{}}"#);
    assert_eq!(exchange.respond(7, reply.as_bytes()).unwrap(), None, "twice");
}

#[test]
fn cancelling_reaches_only_the_client_s_own_request() {
    let exchange = Exchange::default();
    let (n, _) = exchange.begin(7, CALL).unwrap();
    let cancel = Bytes::from_static(
        br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
    );
    assert_eq!(exchange.tell(8, &cancel).unwrap(), None);
    let told = exchange.tell(7, &cancel).unwrap().unwrap();
    assert!(text(&told).contains(&format!(r#""requestId":{n}"#)));
}

#[test]
fn a_listen_stream_keeps_the_client_s_subscription_id() {
    let exchange = Exchange::default();
    let (n, _) = exchange
        .begin(7, br#"{"jsonrpc":"2.0","id":"L","method":"subscriptions/listen","params":{}}"#)
        .unwrap();
    let told = format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{{"_meta":{{"io.modelcontextprotocol/subscriptionId":{n}}}}}}}"#
    );
    let Inbound::About(number, body) = exchange.sort(server(&told)).unwrap() else { panic!() };
    assert_eq!(number, n);
    assert!(text(&body).contains(r#"subscriptionId":"L""#));
}

#[test]
fn a_server_that_asks_without_end_keeps_its_latest_questions_only() {
    let exchange = Exchange::default();
    let text_of = |n: usize| format!(r#"{{"jsonrpc":"2.0","id":{n},"method":"roots/list"}}"#);
    let mut asked = Vec::new();
    for n in 0..=MOST {
        let message = text_of(n);
        let Frame::Request(asks) = server(&message) else { panic!() };
        asked.push(exchange.ask(7, &asks).unwrap());
    }
    let reply = |asked: &Bytes| text(asked).replace(r#""method":"roots/list""#, r#""result":{}"#);
    assert_eq!(exchange.respond(7, reply(&asked[0]).as_bytes()).unwrap(), None);
    assert!(exchange.respond(7, reply(&asked[MOST]).as_bytes()).unwrap().is_some());
}
