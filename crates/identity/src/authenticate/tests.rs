//! The table of keys and doors.

use std::time::Duration;

use bailiwick_model::entropy::Counting;
use bailiwick_model::principal::{LOCAL_ISSUER, Principal, PrincipalKind, Role};
use bailiwick_model::{Clock as _, FrozenClock, PrincipalId, TeamId};
use http::header::AUTHORIZATION;
use secrecy::ExposeSecret as _;

use super::*;
use crate::{KeyRequest, NewKey};

struct World {
    clock: FrozenClock,
    table: KeyTable,
    text: String,
}

fn principal(enabled: bool, now: Timestamp) -> Arc<Principal> {
    Arc::new(Principal {
        id: PrincipalId::from_bits(1),
        kind: PrincipalKind::Agent,
        issuer: LOCAL_ISSUER.into(),
        subject: "bot".into(),
        display_name: "Bot".into(),
        team: TeamId::from_bits(1),
        role: Role::Member,
        enabled,
        created_at: now,
    })
}

/// One key that opens MCP endpoints and lives for an hour, as changed by `change`.
fn world(enabled: bool, change: impl FnOnce(&mut KeyEntry)) -> World {
    let clock = FrozenClock::at(Timestamp::from_micros(1_000_000));
    let principal = principal(enabled, clock.now());
    let request = KeyRequest {
        principal: principal.id,
        label: "test".into(),
        audience: Audience::Mcp,
        expires_at: Some(clock.now().saturating_add(Duration::from_secs(3600))),
    };
    let NewKey { text, key } = NewKey::mint(&clock, &Counting::default(), request);
    let mut entry = KeyEntry {
        key: key.id,
        hash: key.hash,
        audience: key.audience,
        expires_at: key.expires_at,
        revoked: false,
        principal,
    };
    change(&mut entry);
    let table = [(key.prefix.into_boxed_str(), entry)].into_iter().collect();
    World { clock, table, text: text.expose_secret().to_owned() }
}

impl World {
    fn show(&self, text: &str) -> Result<Caller, AuthError> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, format!("Bearer {text}").parse().unwrap());
        authenticate(&self.table, &headers, Audience::Mcp, self.clock.now())
    }
}

#[test]
fn a_good_key_names_its_principal_and_its_end() {
    let world = world(true, |_| ());
    let caller = world.show(&world.text).unwrap();
    assert_eq!(caller.principal.subject, "bot");
    assert_eq!(caller.expires_at.map(Timestamp::as_secs), Some(3601));
    assert!(caller.key.is_some());
}

#[test]
fn every_other_key_has_its_own_reason() {
    type Change = fn(&mut KeyEntry);
    let cases: [(bool, Change, AuthError); 4] = [
        (true, |entry| entry.revoked = true, AuthError::Revoked),
        (false, |_| (), AuthError::Disabled),
        (true, |entry| entry.audience = Audience::Admin, AuthError::WrongAudience),
        (true, |entry| entry.hash[31] ^= 1, AuthError::Unknown),
    ];
    for (enabled, change, expected) in cases {
        let world = world(enabled, change);
        assert_eq!(world.show(&world.text).unwrap_err(), expected);
    }
}

#[test]
fn a_key_is_refused_from_the_moment_of_its_end() {
    let world = world(true, |_| ());
    world.clock.advance(Duration::from_secs(3599));
    assert!(world.show(&world.text).is_ok());
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.show(&world.text).unwrap_err(), AuthError::Expired);
}

#[test]
fn a_key_s_end_and_revocation_are_not_told_without_its_secret() {
    let world = world(true, |entry| entry.revoked = true);
    let last = if world.text.ends_with('A') { 'B' } else { 'A' };
    let guess = format!("{}{last}", &world.text[..world.text.len() - 1]);
    assert_eq!(world.show(&guess).unwrap_err(), AuthError::Unknown);
}

#[test]
fn texts_of_another_shape_are_malformed() {
    let world = world(true, |_| ());
    let good = world.text.as_str();
    for text in [
        &good[..good.len() - 1],
        &format!("{good}A"),
        &good.replacen("bwk_", "BWK_", 1),
        &good.replacen("bwk_", "bwk-", 1),
        &format!("{}=", &good[..good.len() - 1]),
        "eyJhbGciOiJub25lIn0.e30.",
    ] {
        assert_eq!(world.show(text).unwrap_err(), AuthError::Malformed, "{text}");
    }
}

#[test]
fn an_unknown_prefix_is_unknown() {
    let world = world(true, |_| ());
    let other = format!("bwk_ZZZZZZZZZZ_{}", &world.text[15..]);
    assert_eq!(world.show(&other).unwrap_err(), AuthError::Unknown);
}

#[test]
fn minted_keys_are_hidden_from_debug_output_and_differ() {
    let clock = FrozenClock::at(Timestamp::from_micros(0));
    let entropy = Counting::default();
    let request = KeyRequest {
        principal: PrincipalId::from_bits(1),
        label: String::new(),
        audience: Audience::Admin,
        expires_at: None,
    };
    let first = NewKey::mint(&clock, &entropy, request.clone());
    let second = NewKey::mint(&clock, &entropy, request);
    assert_ne!(first.text.expose_secret(), second.text.expose_secret());
    assert_ne!(first.key.prefix, second.key.prefix);
    let text = KeyText::parse(first.text.expose_secret()).unwrap();
    assert_eq!(text.hash(), first.key.hash);
    assert_eq!(text.prefix(), first.key.prefix);
    assert!(!format!("{first:?} {text:?}").contains(&first.text.expose_secret()[15..]));
}

proptest::proptest! {
    #[test]
    fn any_text_is_judged_without_panic(text in "\\PC{0,80}") {
        if let Some(key) = KeyText::parse(&text) {
            proptest::prop_assert_eq!(key.prefix().len(), 10);
        }
    }
}
