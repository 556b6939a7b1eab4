//! What is left of payloads.

use bailiwick_inspect::{Kind, MIN_CAP, Redacted, Rules, follow_rules, redact};
use bailiwick_model::capture::CaptureAction;

const CAP: usize = 1 << 20;

fn plainly(raw: &str) -> Redacted {
    redact(raw.as_bytes(), &Rules::default(), CAP)
}

fn by(rules: &[(&str, CaptureAction)], raw: &str) -> String {
    let rules = Rules::compile(rules.iter().copied()).expect("paths");
    redact(raw.as_bytes(), &rules, CAP).body
}

/// Input and output, without any rule.
fn table(rows: &[(&str, &str)]) {
    for (raw, wanted) in rows {
        assert_eq!(plainly(raw).body, *wanted, "{raw}");
    }
}

#[test]
fn findings_become_marks() {
    table(&[
        (r#"{"to":"anna@example.com","n":1}"#, r#"{"to":"[email]","n":1}"#),
        (r#"["call +14155552671 or a@b.co"]"#, r#"["call [phone] or [email]"]"#),
        (r#""4111 1111 1111 1111""#, r#""[card]""#),
        (r#"{ "a" : [ "x" , "a@b.co" ] , "b" : null }"#, r#"{ "a" : [ "x" , "[email]" ] , "b" : null }"#),
        (r#"{"a@b.co":1,"x":"\"a@b.co\"\n"}"#, r#"{"[email]":1,"x":"\"[email]\"\n"}"#),
        (r#"["\u0061@b.co"]"#, r#"["[email]"]"#),
        (
            r#"[4111111111111111, 4111111111111111.0, 4.111111111111111e15, 12]"#,
            r#"["[card]", "[card]", "[card]", 12]"#,
        ),
        (
            r#"{"price":19.99,"at":1785196800000,"lat":52.520008123456}"#,
            r#"{"price":19.99,"at":1785196800000,"lat":52.520008123456}"#,
        ),
    ]);
}

#[test]
fn members_of_secret_like_names_lose_their_value() {
    table(&[
        (r#"{"password":"x"}"#, r#"{"password":"[secret]"}"#),
        (r#"{"API-Key":{"a":["b",1]},"z":1}"#, r#"{"API-Key":"[secret]","z":1}"#),
        (r#"{"pass\u0077ord":"x"}"#, r#"{"pass\u0077ord":"[secret]"}"#),
        (r#"{"pin":1234,"secret":["a"]}"#, r#"{"pin":"[secret]","secret":"[secret]"}"#),
        (
            r#"{"Authorization":"Bearer x","cookie":"a=b"}"#,
            r#"{"Authorization":"[credential]","cookie":"[credential]"}"#,
        ),
        (
            r#"{"password":null,"secret":true,"token":"","max_tokens":5}"#,
            r#"{"password":null,"secret":true,"token":"","max_tokens":5}"#,
        ),
        (r#"{"phone":"4155552671","ssn":123456789}"#, r#"{"phone":"[phone]","ssn":"[national_id]"}"#),
        (r#"{"phone":"none","fax":{"a":"a@b.co"}}"#, r#"{"phone":"none","fax":{"a":"[email]"}}"#),
        (r#"{"name":"DB_PASSWORD","value":"x"}"#, r#"{"name":"DB_PASSWORD","value":"[secret]"}"#),
        (
            r#"[{"name":"PATH","value":"x"},{"name":"TOKEN","value":"y"}]"#,
            r#"[{"name":"PATH","value":"x"},{"name":"TOKEN","value":"[secret]"}]"#,
        ),
    ]);
}

#[test]
fn json_in_a_string_is_read_as_json() {
    table(&[
        (
            r#"{"text":"{\"password\":{\"a\":\"b\"},\"n\":1}"}"#,
            r#"{"text":"{\"password\":\"[secret]\",\"n\":1}"}"#,
        ),
        (r#"["[\"{\\\"token\\\":\\\"x\\\"}\"]"]"#, r#"["[\"{\\\"token\\\":\\\"[secret]\\\"}\"]"]"#),
        (r#"["{\"password\":\"x\"} and more"]"#, r#"["{\"password\":\"[secret]\"} and more"]"#),
        (r#"["{\"a\":1}"]"#, r#"["{\"a\":1}"]"#),
    ]);
}

#[test]
fn what_is_no_json_is_one_text() {
    table(&[
        ("", r#""""#),
        ("hello a@b.co", r#""hello [email]""#),
        (r#"{"a":"a@b.co""#, r#""{\"a\":\"[email]\"""#),
        (r#"{"password":"x"} trailing"#, r#""{\"password\":\"[secret]\"} trailing""#),
        ("[1,]", r#""[1,]""#),
        ("01", r#""01""#),
        ("{\"a\"}", r#""{\"a\"}""#),
        ("\"\u{1}\"", r#""\"\u0001\"""#),
        (r#""\ud800""#, r#""\"\\ud800\"""#),
        (r#""\x""#, r#""\"\\x\"""#),
        ("nul", r#""nul""#),
    ]);
    let broken = redact(b"\xff a@b.co \xfe", &Rules::default(), CAP);
    assert_eq!(broken.body, "\"\u{FFFD} [email] \u{FFFD}\"");
    assert_eq!(broken.findings.get(Kind::Email), 1);
}

#[test]
fn findings_are_counted() {
    let redacted = plainly(r#"{"a":"a@b.co, c@d.org","password":"x","b":[4111111111111111]}"#);
    let counts: Vec<_> = redacted.findings.iter().collect();
    assert_eq!(counts, [(Kind::Secret, 1), (Kind::Card, 1), (Kind::Email, 2)]);
    assert!(!redacted.cut && !redacted.findings.is_empty());
    assert_eq!(redacted.bytes, 61);
    assert!(plainly("{}").findings.is_empty());
}

#[test]
fn rules_drop_mask_and_keep() {
    use CaptureAction::{Drop, Keep, Mask};
    let raw = r#"{"a":{"b":"x@y.zz","c":1},"l":[{"c":"1"},{"c":"2","d":3}],"b":"t"}"#;
    for (rules, wanted) in [
        (&[("$.a.b", Drop)][..], r#"{"a":{"c":1},"l":[{"c":"1"},{"c":"2","d":3}],"b":"t"}"#),
        (&[("$.a", Drop)], r#"{"l":[{"c":"1"},{"c":"2","d":3}],"b":"t"}"#),
        (&[("$.b", Drop)], r#"{"a":{"b":"[email]","c":1},"l":[{"c":"1"},{"c":"2","d":3}]}"#),
        (&[("$.a", Drop), ("$.l", Drop), ("$.b", Drop)], "{}"),
        (&[("$.*", Drop)], "{}"),
        (
            &[("$.l[*].c", Mask)],
            r#"{"a":{"b":"[email]","c":1},"l":[{"c":"[masked]"},{"c":"[masked]","d":3}],"b":"t"}"#,
        ),
        (&[("$.l[*]", Drop)], r#"{"a":{"b":"[email]","c":1},"l":[],"b":"t"}"#),
        (&[("$..c", Drop)], r#"{"a":{"b":"[email]"},"l":[{},{"d":3}],"b":"t"}"#),
        (&[("$['a']..b", Mask)], r#"{"a":{"b":"[masked]","c":1},"l":[{"c":"1"},{"c":"2","d":3}],"b":"t"}"#),
        (&[("$.a", Keep)], raw),
        (
            &[("$.a", Keep), ("$.a.b", Mask)],
            r#"{"a":{"b":"[masked]","c":1},"l":[{"c":"1"},{"c":"2","d":3}],"b":"t"}"#,
        ),
        (&[("$.a.b", Mask), ("$.a.*", Keep)], raw),
        (&[("$", Keep)], raw),
        (&[("$", Mask)], r#""[masked]""#),
        (&[("$", Drop)], "null"),
        (
            &[("$.nothing", Drop), ("$.b.c", Drop)],
            r#"{"a":{"b":"[email]","c":1},"l":[{"c":"1"},{"c":"2","d":3}],"b":"t"}"#,
        ),
    ] {
        assert_eq!(by(rules, raw), wanted, "{rules:?}");
    }
    assert_eq!(by(&[("$[*]", Drop)], " [ 1 , 2 ] "), " [ ] ");
    assert_eq!(by(&[("$.a", Drop)], r#"{ "a" : 1 , "b" : 2 }"#), r#"{ "b" : 2 }"#);
    assert_eq!(by(&[("$.a", Mask)], r#"{"\u0061":1}"#), r#"{"\u0061":"[masked]"}"#);
    assert_eq!(by(&[("$", Drop)], "no json"), "null");
}

#[test]
fn keeping_does_not_keep_secrets() {
    let raw = r#"{"a":"x@y.zz password=abc","password":"x"}"#;
    let wanted = r#"{"a":"x@y.zz password=[secret]","password":"[secret]"}"#;
    assert_eq!(by(&[("$", CaptureAction::Keep)], raw), wanted);
    let keys = format!(r#"{{"x@y.zz":1,"ghp_{}":2}}"#, "a1".repeat(18));
    assert_eq!(by(&[("$", CaptureAction::Keep)], &keys), r#"{"x@y.zz":1,"[token]":2}"#);
    assert_eq!(by(&[("$", CaptureAction::Keep)], "x@y.zz password=abc"), r#""x@y.zz password=[secret]""#);
}

#[test]
fn deep_payloads_end_in_a_mark() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let redacted = plainly(&deep);
    assert_eq!(redacted.findings.get(Kind::Nested), 1);
    assert!(redacted.body.contains("\"[nested]\"") && redacted.body.len() < 300);
    serde_json::from_str::<serde_json::Value>(&redacted.body).expect("JSON");
    let broken = "[".repeat(100_000);
    assert_eq!(plainly(&broken).body.len(), broken.len() + 2);
    let mut quoted = String::from("a@b.co");
    for _ in 0..12 {
        quoted = serde_json::to_string(&[quoted]).expect("JSON");
    }
    assert!(!plainly(&quoted).body.contains("a@b"));
}

#[test]
fn a_cut_is_between_values_or_in_a_string() {
    let cut = |raw: &str, cap: usize| {
        let redacted = redact(raw.as_bytes(), &Rules::default(), cap);
        assert!(
            redacted.cut && redacted.body.len() <= cap.max(MIN_CAP) && redacted.bytes == raw.len(),
            "{redacted:?}"
        );
        redacted.body
    };
    assert_eq!(cut(&format!("[{}1]", "1,".repeat(40)), 32), format!("[{}1]", "1,".repeat(14)));
    assert_eq!(
        cut(&format!(r#"{{"a":"{}"}}"#, "x".repeat(99)), 40),
        format!(r#"{{"a":"{}"}}"#, "x".repeat(32))
    );
    assert_eq!(cut(&format!("\"{}\"", "ü".repeat(99)), 33), format!("\"{}\"", "ü".repeat(15)));
    assert_eq!(
        cut(&format!(r#"["{}",12345678901234]"#, "x".repeat(20)), 32),
        format!(r#"["{}"]"#, "x".repeat(20))
    );
    assert_eq!(cut(&"1".repeat(99), 32), "null");
    assert_eq!(cut(&"no json ".repeat(9), 0).len(), MIN_CAP);
    let escaped = format!(r#"["{}"]"#, r"\n".repeat(99));
    assert_eq!(cut(&escaped, 33), format!(r#"["{}"]"#, r"\n".repeat(14)));
}

#[test]
fn a_secret_across_the_cut_is_masked() {
    let token = format!("ghp_{}", "0123456789abcdefghijABCDEFGHIJ012345");
    for raw in [format!(r#"["{} {token}"]"#, "x".repeat(20)), format!("{} {token}", "x".repeat(20))] {
        let redacted = redact(raw.as_bytes(), &Rules::default(), 36);
        assert!(!redacted.body.contains("ghp"), "{redacted:?}");
        serde_json::from_str::<serde_json::Value>(&redacted.body).expect("JSON");
    }
    let raw = format!(r#"["{} {token} {}"]"#, "x".repeat(20), "y".repeat(100_000));
    let redacted = redact(raw.as_bytes(), &Rules::default(), 64);
    assert!(
        redacted.cut && redacted.body.contains("[token]") && !redacted.body.contains("ghp"),
        "{redacted:?}"
    );
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a deadline")]
fn hostile_texts_take_no_longer_than_others() {
    let label = ["PRIVATE", " KEY"].concat();
    for part in [
        "@",
        "a@a.",
        "@a.b",
        "://",
        "x://a:b/",
        "x://a:b@",
        "password=",
        "password={",
        "password=[",
        "password=\"",
        "pw=' ",
        "--password {",
        "--token '",
        "Bearer ",
        "-----BEGIN ",
        &format!("-----BEGIN {label}-----"),
        "eyJ",
        "eyJa.",
        "AKIA",
        "sk-",
        "ghp_",
        "glpat-",
        "1 ",
        "+1",
        "(212) ",
        "01 ",
        "4111",
        "GB82 ",
        "a1",
        "%25",
        "\\",
        "\\u005c",
        "\u{200B}",
        "[",
        "{\"a\":",
        "[\"",
        ":",
        " :",
        "=\"",
        "Authorization:",
        "[secret]",
        "password is ",
        "\"",
        "[[\\\"",
        "a@b.co ",
        "4111 1111 1111 1111 ",
    ] {
        let text = part.repeat(100_000 / part.len());
        let begin = std::time::Instant::now();
        for raw in
            [text.clone(), serde_json::to_string(&text).expect("JSON"), format!("{{\"a\":[\"{text}\"]}}")]
        {
            let redacted = redact(raw.as_bytes(), &Rules::default(), CAP);
            serde_json::from_str::<Box<serde_json::value::RawValue>>(&redacted.body).expect("JSON");
        }
        let taken = begin.elapsed().as_secs_f32();
        assert!(taken < 10.0, "{part:?}: {taken} s");
    }
}

#[test]
fn where_only_rules_count_nothing_else_is_touched() {
    use CaptureAction::{Drop, Keep, Mask};
    let raw = r#"{"password":"x","to":"a@b.co","a@b.co":1,"in":"{\"token\":\"x\"}","n":[4111111111111111],"z":{"y":"c@d.org"}}"#;
    let by = |rules: &[(&str, CaptureAction)], cap| {
        follow_rules(raw.as_bytes(), &Rules::compile(rules.iter().copied()).expect("paths"), cap)
    };
    let whole = by(&[], CAP);
    assert_eq!((whole.body.as_str(), whole.cut, whole.findings.is_empty()), (raw, false, true));
    for keeps in ["$", "$.to", "$..y"] {
        assert_eq!(by(&[(keeps, Keep)], CAP).body, raw, "{keeps}");
    }
    assert_eq!(
        by(&[("$.password", Drop), ("$..y", Mask), ("$.in", Drop)], CAP).body,
        r#"{"to":"a@b.co","a@b.co":1,"n":[4111111111111111],"z":{"y":"[masked]"}}"#
    );
    assert_eq!(by(&[("$", Drop)], CAP).body, "null");
    let cut = by(&[], 40);
    assert!(cut.cut && cut.body.len() <= 40, "{cut:?}");
    assert!(serde_json::from_str::<serde_json::Value>(&cut.body).is_ok(), "{cut:?}");
    assert_eq!(follow_rules(b"key a@b.co", &Rules::default(), CAP).body, r#""key a@b.co""#);
}
