//! Decisions against a reference that reads the grants one by one.

use std::collections::BTreeSet;

use bailiwick_model::definition::DefinitionKind;
use bailiwick_model::grant::Scope;
use bailiwick_model::{GroupId, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::entities::use_of;
use crate::fixture::{World, later, one, toolset, whole, world};

type Given = (Grantee, Scope, Vec<Action>, Option<Timestamp>);

fn grants() -> impl Strategy<Value = Vec<Given>> {
    let grantee = prop_oneof![
        prop_oneof![Just(ADA), Just(BOT), Just(OFF)].prop_map(Grantee::Principal),
        prop_oneof![Just(CREW), Just(GroupId::from_bits(9))].prop_map(Grantee::Group),
    ];
    let definition =
        prop_oneof![Just(READ), Just(ERASE), Just(README), Just(DOCS), Just(SUMMARY), Just(SEND)];
    let scope = prop_oneof![
        prop_oneof![Just(FILES), Just(MAIL), Just(ServerId::from_bits(9))].prop_map(whole),
        Just(toolset()),
        definition.prop_map(|(server, kind, key)| one(server, kind, key)),
    ];
    let actions = proptest::sample::subsequence(ALL.to_vec(), 0..=4);
    let expiry = prop_oneof![Just(None), (0..4u64).prop_map(|at| Some(later(at)))];
    proptest::collection::vec((grantee, scope, actions, expiry), 0..6)
}

fn built(given: &[Given]) -> Snapshot {
    let add =
        |world: World, (to, on, actions, end): &Given| world.grant_until(*to, on.clone(), actions, *end);
    given.iter().fold(world(), add).build()
}

/// What the words of the model say, without Cedar and without any index.
fn expected(given: &[Given], who: PrincipalId, action: Action, on: On, now: Timestamp) -> bool {
    let (server, kind, key) = on;
    let in_desk = |server, kind: DefinitionKind, key: &str| {
        kind == Tool && (server == MAIL || (server == FILES && key == "read"))
    };
    let reaches = |scope: &Scope| match (scope, key) {
        (Scope::Server { server: s }, _) => *s == server,
        (Scope::Toolset { .. }, "") => true,
        (Scope::Toolset { .. }, _) => in_desk(server, kind, key),
        (Scope::Definition { server: s, .. }, "") => *s == server,
        (Scope::Definition { server: s, kind: k, key: own }, _) => *s == server && *k == kind && own == key,
    };
    let is_for = |grantee: &Grantee| match grantee {
        Grantee::Principal(id) => *id == who,
        Grantee::Group(id) => *id == CREW && [BOT, OFF].contains(&who),
    };
    let fits = action == List || (!key.is_empty() && action == use_of(kind));
    let lets =
        |actions: &[Action]| if key.is_empty() { !actions.is_empty() } else { actions.contains(&action) };
    who != OFF
        && fits
        && given.iter().any(|(to, scope, actions, end)| {
            is_for(to) && reaches(scope) && lets(actions) && end.is_none_or(|end| now < end)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn decisions_are_what_the_grants_say_at_every_moment(given in grants()) {
        let snapshot = built(&given);
        for second in 0..5 {
            for (who, on) in [ADA, BOT, OFF].into_iter().flat_map(|who| EVERYTHING.map(|on| (who, on))) {
                for action in ALL {
                    let decision = snapshot.ask_at(who, action, on, later(second));
                    prop_assert_eq!(
                        decision.is_allow(),
                        expected(&given, who, action, on, later(second)),
                        "{:?} {:?} {:?} {}", who, action, on, second
                    );
                    if let Decision::Allow(permit) = decision {
                        prop_assert!(permit.valid_until().is_none_or(|end| later(second) < end));
                        prop_assert!(permit.rules().len() >= 2, "a policy and a grant are named");
                    }
                }
            }
        }
    }

    #[test]
    fn a_further_grant_never_takes_away_and_gives_only_what_it_is_on(given in grants(), extra in grants()) {
        let Some(extra) = extra.first() else { return Ok(()) };
        let table = |given: &[Given]| -> BTreeSet<String> {
            let snapshot = built(given);
            let of = |who| allowed(&snapshot, who).into_iter().map(move |row| format!("{who:?} {row:?}"));
            [ADA, BOT, OFF].into_iter().flat_map(of).collect()
        };
        let before = table(&given);
        let alone = table(std::slice::from_ref(extra));
        let after = table(&[given.as_slice(), std::slice::from_ref(extra)].concat());
        prop_assert_eq!(after, &before | &alone);
    }
}
