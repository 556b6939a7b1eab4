//! Properties of redaction for any input.

use bailiwick_inspect::{Rules, find, redact};
use bailiwick_model::capture::CaptureAction;
use proptest::prelude::*;
use serde_json::{Map, Value};

const CAP: usize = 1 << 20;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,40}",
        "[a-z@.:=/ 0-9+()\\[\\]{}\"'%\\\\-]{0,60}",
        "(password|token|Bearer |Authorization: |--secret |https://|\\[secret\\]|\\[email\\]|[a-z0-9@.=:, ]){0,10}",
        "[0-9 .+()/-]{0,40}",
    ]
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let key = prop_oneof!["[a-d]{1,2}", text(), Just("name".to_owned()), Just("password".to_owned())];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key, inner.clone()), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
            // JSON in a string.
            inner.prop_map(|value| Value::from(value.to_string())),
        ]
    })
}

/// Puts a text among the strings of a value: into one of them, as a member's name or as an element, as `dice` say.
fn plant(value: &mut Value, secret: &str, dice: &mut impl Iterator<Item = u8>) {
    let roll = usize::from(dice.next().unwrap_or(0));
    match value {
        Value::Array(items) if !items.is_empty() && roll % 4 > 0 => {
            let place = roll % items.len();
            plant(&mut items[place], secret, dice);
        }
        Value::Array(items) => items.push(Value::from(secret)),
        Value::Object(members) if !members.is_empty() && roll % 4 > 0 => {
            let place = roll % members.len();
            if let Some(inner) = members.values_mut().nth(place) {
                plant(inner, secret, dice);
            }
        }
        Value::Object(members) => {
            members.insert(secret.to_owned(), Value::from(1));
        }
        Value::String(text) => {
            let places: Vec<_> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            text.insert_str(places[roll % places.len()], &format!(" {secret} "));
        }
        other => *other = Value::from(format!("\n{secret}")),
    }
}

/// Writes characters of strings as escapes, as `dice` say.
fn escape(json: &str, dice: &mut impl Iterator<Item = u8>) -> String {
    let (mut out, mut inside, mut skip) = (String::new(), false, false);
    for c in json.chars() {
        let plain = !inside || skip || c == '\\' || c == '"' || (c as u32) > 0xFFFF;
        if c == '"' && !skip {
            inside = !inside;
        }
        skip = c == '\\' && !skip;
        match dice.next().unwrap_or(0) % 3 {
            0 if !plain => out.push_str(&format!("\\u{:04x}", c as u32)),
            1 if !plain => out.push_str(&format!("\\u{:04X}", c as u32)),
            _ => out.push(c),
        }
    }
    out
}

/// Escaped sequences like `\u0041` must not be split: only texts without any are escaped further.
fn escapable(json: &str) -> bool {
    !json.contains("\\u")
}

fn secret() -> impl Strategy<Value = String> {
    prop_oneof![
        "ghp_[A-Za-z0-9]{36}",
        "bwk_[A-Za-z0-9]{10}_[A-Za-z0-9]{43}",
        "AKIA[A-Z2-7]{16}",
        "sk-ant-api03-[A-Za-z0-9]{40}",
        "glpat-[A-Za-z0-9]{20}",
        "xoxb-[0-9]{11}-[A-Za-z0-9]{24}",
        "eyJ[A-Za-z0-9]{20}\\.eyJ[A-Za-z0-9]{20}\\.[A-Za-z0-9]{30}",
        "password=[a-z]{4}[0-9]{8}",
        "[a-z]{5}[0-9]{5}@example\\.com",
        Just("4111 1111 1111 1111".to_owned()),
        Just("DE89 3704 0044 0532 0130 00".to_owned()),
    ]
}

/// The part of a planted text that must be gone.
fn core(secret: &str) -> &str {
    secret.strip_prefix("password=").unwrap_or(secret)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_give_json_within_the_cap(raw in prop::collection::vec(any::<u8>(), 0..300), cap in 0_usize..300) {
        let redacted = redact(&raw, &Rules::default(), cap);
        prop_assert!(serde_json::from_str::<Value>(&redacted.body).is_ok(), "{}", redacted.body);
        prop_assert!(redacted.body.len() <= cap.max(bailiwick_inspect::MIN_CAP));
        prop_assert_eq!(redacted.bytes, raw.len());
    }

    #[test]
    fn any_json_gives_json_within_the_cap(value in json(), cap in 0_usize..400) {
        let rules = Rules::compile([("$.a", CaptureAction::Drop), ("$..b", CaptureAction::Mask), ("$[*].c", CaptureAction::Keep)]).unwrap();
        for raw in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            for rules in [&rules, &Rules::default()] {
                let redacted = redact(raw.as_bytes(), rules, cap);
                prop_assert!(serde_json::from_str::<Value>(&redacted.body).is_ok(), "{}", redacted.body);
                prop_assert!(redacted.body.len() <= cap.max(bailiwick_inspect::MIN_CAP));
            }
        }
    }

    #[test]
    fn cut_anywhere_it_is_text(value in json(), at in any::<prop::sample::Index>()) {
        let raw = value.to_string();
        let redacted = redact(&raw.as_bytes()[..at.index(raw.len() + 1)], &Rules::default(), CAP);
        prop_assert!(serde_json::from_str::<Value>(&redacted.body).is_ok(), "{}", redacted.body);
    }

    #[test]
    fn a_planted_secret_is_gone(
        value in json(), secret in secret(), dice in prop::collection::vec(any::<u8>(), 8..2_000), wrapped in 0..3,
    ) {
        let mut value = value;
        let mut dice = dice.into_iter().cycle();
        plant(&mut value, &secret, &mut dice);
        for _ in 0..wrapped {
            value = Value::Array(vec![Value::from(value.to_string())]);
        }
        let mut raw = value.to_string();
        if escapable(&raw) {
            raw = escape(&raw, &mut dice);
        }
        let redacted = redact(raw.as_bytes(), &Rules::default(), CAP);
        let read = serde_json::from_str::<Value>(&redacted.body).unwrap().to_string();
        prop_assert!(!redacted.body.contains(core(&secret)) && !read.contains(core(&secret)), "{raw}\n{}", redacted.body);
    }

    #[test]
    fn redacting_again_changes_nothing(value in json(), secret in secret(), dice in prop::collection::vec(any::<u8>(), 8)) {
        let mut value = value;
        plant(&mut value, &secret, &mut dice.into_iter().cycle());
        let once = redact(value.to_string().as_bytes(), &Rules::default(), CAP);
        let twice = redact(once.body.as_bytes(), &Rules::default(), CAP);
        prop_assert_eq!(&twice.body, &once.body);
        prop_assert!(twice.findings.is_empty(), "{:?}\n{}", twice.findings, once.body);
    }

    #[test]
    fn without_findings_nothing_changes(value in json(), pretty in any::<bool>()) {
        let raw = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
        let redacted = redact(raw.as_bytes(), &Rules::default(), CAP);
        prop_assert_eq!(redacted.findings.is_empty(), redacted.body == raw, "{}\n{}", raw, redacted.body);
        prop_assert!(!redacted.cut);
    }

    #[test]
    fn findings_are_apart_and_at_characters(text in text()) {
        let mut end = 0;
        for finding in find(&text) {
            prop_assert!(end <= finding.range.start && finding.range.start < finding.range.end);
            prop_assert!(text.get(finding.range.clone()).is_some());
            end = finding.range.end;
        }
    }
}
