use std::sync::Arc;

use bailiwick_model::definition::DefinitionKind::{Prompt, Resource, ResourceTemplate, Tool};
use bailiwick_model::grant::Action::{self, Call, Get, List, Read};
use bailiwick_model::grant::Grantee;
use bailiwick_model::principal::Caller;
use bailiwick_model::{PrincipalId, ServerId};

use crate::fixture::*;
use crate::{Catalogue, Decision, Denial, Snapshot, Source, Target};

const ADA_SELF: Grantee = Grantee::Principal(ADA);
const ALL: [Action; 4] = Action::ALL;

type On = (ServerId, bailiwick_model::definition::DefinitionKind, &'static str);

const READ: On = (FILES, Tool, "read");
const ERASE: On = (FILES, Tool, "erase");
const README: On = (FILES, Resource, "file:///readme");
const DOCS: On = (FILES, ResourceTemplate, "file:///docs/{name}");
const SUMMARY: On = (FILES, Prompt, "summary");
const SEND: On = (MAIL, Tool, "send");
const MAIL_READ: On = (MAIL, Tool, "read");
const FILES_ITSELF: On = (FILES, Tool, "");
const MAIL_ITSELF: On = (MAIL, Tool, "");

const EVERYTHING: [On; 9] = [READ, ERASE, README, DOCS, SUMMARY, SEND, MAIL_READ, FILES_ITSELF, MAIL_ITSELF];

/// Everything that a principal may do, as a table.
fn allowed(snapshot: &Snapshot, who: PrincipalId) -> Vec<(Action, On)> {
    let every = EVERYTHING.into_iter().flat_map(|on| ALL.into_iter().map(move |action| (action, on)));
    every.filter(|(action, on)| snapshot.ask(who, *action, *on).is_allow()).collect()
}

fn denial(decision: Decision) -> Denial {
    match decision {
        Decision::Deny(denial) => denial,
        Decision::Allow(permit) => panic!("allowed: {permit:?}"),
    }
}

#[test]
fn without_grants_nobody_may_do_anything_and_nothing_is_visible() {
    let snapshot = world().build();
    for who in [ADA, BOT, OFF] {
        assert_eq!(allowed(&snapshot, who), []);
        for on in EVERYTHING {
            assert!(!denial(snapshot.ask(who, Call, on)).visible);
        }
    }
    assert_eq!(Snapshot::empty().catalogue.servers().count(), 0);
}

#[test]
fn a_grant_on_a_server_reaches_all_that_it_offers_and_nothing_else() {
    let snapshot = world().grant(ADA_SELF, whole(FILES), &ALL).build();
    assert_eq!(
        allowed(&snapshot, ADA),
        [
            (List, READ),
            (Call, READ),
            (List, ERASE),
            (Call, ERASE),
            (List, README),
            (Read, README),
            (List, DOCS),
            (Read, DOCS),
            (List, SUMMARY),
            (Get, SUMMARY),
            (List, FILES_ITSELF),
        ]
    );
    assert_eq!(allowed(&snapshot, BOT), []);
}

#[test]
fn a_grant_on_a_toolset_reaches_its_members_and_the_sessions_that_they_need() {
    let snapshot = world().grant(ADA_SELF, toolset(), &[List, Call]).build();
    assert_eq!(
        allowed(&snapshot, ADA),
        [
            (List, READ),
            (Call, READ),
            (List, SEND),
            (Call, SEND),
            (List, MAIL_READ),
            (Call, MAIL_READ),
            (List, FILES_ITSELF),
            (List, MAIL_ITSELF),
        ]
    );
}

#[test]
fn a_grant_on_one_definition_reaches_it_alone_even_where_another_server_has_the_same_name() {
    let snapshot = world().grant(ADA_SELF, one(FILES, Tool, "read"), &[Call]).build();
    assert_eq!(allowed(&snapshot, ADA), [(Call, READ), (List, FILES_ITSELF)]);
}

#[test]
fn a_grant_to_a_group_reaches_its_members() {
    let snapshot = world().grant(Grantee::Group(CREW), one(FILES, Prompt, "summary"), &[List, Get]).build();
    assert_eq!(allowed(&snapshot, BOT), [(List, SUMMARY), (Get, SUMMARY), (List, FILES_ITSELF)]);
    assert_eq!(allowed(&snapshot, ADA), []);
}

#[test]
fn disabled_principals_and_servers_deny_whatever_was_granted() {
    let snapshot = world().grant(Grantee::Group(CREW), whole(FILES), &ALL).build();
    assert_eq!(allowed(&snapshot, OFF), []);
    assert_eq!(*denial(snapshot.ask(OFF, Call, READ)).rules, ["principal-disabled".into()]);

    let snapshot = world().grant(ADA_SELF, whole(FILES), &ALL).without(FILES).build();
    assert_eq!(allowed(&snapshot, ADA), []);
    let refused = denial(snapshot.ask(ADA, Call, READ));
    assert_eq!((refused.visible, &*refused.rules), (false, &["server-disabled".into()][..]));
}

#[test]
fn strangers_and_ended_credentials_are_denied() {
    let snapshot = world().grant(ADA_SELF, whole(FILES), &ALL).build();
    assert_eq!(*denial(ask_stranger(&snapshot)).rules, ["unknown-principal".into()]);

    let server = snapshot.catalogue.server("files").unwrap();
    let ending = Caller { expires_at: Some(later(5)), ..caller(ADA) };
    let permit = snapshot.decide(&ending, List, Target::Server(server), NOW).permit().unwrap();
    assert_eq!(permit.valid_until(), Some(later(5)));
    let ended = denial(snapshot.decide(&ending, List, Target::Server(server), later(5)));
    assert_eq!(*ended.rules, ["credential-ended".into()]);
}

fn ask_stranger(snapshot: &Snapshot) -> Decision {
    snapshot.ask(PrincipalId::from_bits(99), Call, READ)
}

#[test]
fn a_permit_says_who_what_why_and_until_when() {
    let snapshot = world()
        .grant_until(ADA_SELF, one(FILES, Tool, "read"), &[Call], Some(later(60)))
        .grant(ADA_SELF, whole(FILES), &ALL)
        .grant(ADA_SELF, whole(MAIL), &ALL)
        .build();
    let permit = snapshot.ask(ADA, Call, READ).permit().unwrap();
    assert_eq!((permit.principal(), permit.server(), permit.server_name()), (ADA, FILES, "files"));
    assert_eq!((permit.kind(), permit.key(), permit.action()), (Some(Tool), Some("read"), Call));
    assert_eq!(permit.generation(), snapshot.generation);
    assert_eq!(permit.valid_until(), Some(later(60)));
    let rules: Vec<_> = permit.rules().iter().map(|id| &**id).collect();
    let grants = ["grt_00000000000000000000000000000001", "grt_00000000000000000000000000000002"];
    assert_eq!(rules, ["grant-call", grants[0], grants[1]]);
}

#[test]
fn a_grant_ends_to_the_microsecond_although_decisions_are_remembered() {
    let snapshot = world()
        .grant_until(ADA_SELF, whole(FILES), &ALL, Some(later(10)))
        .grant_until(ADA_SELF, one(FILES, Tool, "read"), &[Call], Some(later(20)))
        .build();
    for (at, may_read, may_erase) in
        [(0, true, true), (9, true, true), (10, true, false), (19, true, false), (20, false, false)]
    {
        for _remembered in 0..2 {
            assert_eq!(snapshot.ask_at(ADA, Call, READ, later(at)).is_allow(), may_read, "{at}");
            assert_eq!(snapshot.ask_at(ADA, Call, ERASE, later(at)).is_allow(), may_erase, "{at}");
        }
    }
}

#[test]
fn a_denial_explains_itself_to_those_who_may_see_the_thing() {
    let snapshot = world().grant(ADA_SELF, whole(FILES), &[List]).build();
    let refused = denial(snapshot.ask(ADA, Call, ERASE));
    assert!(refused.visible);
    assert_eq!(*refused.rules, ["default-deny".into()]);
    assert_eq!(
        &*refused.explanation,
        "default-deny: you may see tool \"erase\" of server files, but no grant lets you call it. Ask an \
         administrator for a grant of \"call\" on it, on a toolset that has it, or on the server."
    );
}

#[test]
fn a_denial_tells_others_no_more_than_that_there_is_nothing() {
    let snapshot = world().build();
    let known = denial(snapshot.ask(ADA, Call, ERASE));
    let unknown = denial(ask_stranger(&snapshot));
    assert_eq!(known.explanation, unknown.explanation);
    assert!(!known.explanation.contains("erase"));
}

#[test]
fn a_policy_that_forbids_wins_over_grants_and_is_named() {
    let snapshot = world()
        .grant(ADA_SELF, whole(FILES), &ALL)
        .rules(r#"@id("only-reading") forbid (principal, action == Action::"call", resource) unless { resource.readOnly };"#)
        .build();
    assert!(snapshot.ask(ADA, Call, READ).is_allow());
    let refused = denial(snapshot.ask(ADA, Call, ERASE));
    assert!(refused.visible && refused.explanation.starts_with("only-reading: "), "{refused:?}");
    assert_eq!(*refused.rules, ["only-reading".into()]);
}

#[test]
fn a_policy_that_cannot_be_evaluated_denies() {
    let overflow = "9223372036854775807 + (if principal.enabled then 1 else 0) == 0";
    for effect in ["forbid", "permit"] {
        let policy = format!(
            r#"@id("broken") {effect} (principal, action == Action::"call", resource) when {{ {overflow} }};"#
        );
        let snapshot = world().grant(ADA_SELF, whole(FILES), &ALL).rules(&policy).build();
        let refused = denial(snapshot.ask(ADA, Call, READ));
        assert_eq!(*refused.rules, ["broken".into()]);
        assert!(refused.visible && refused.explanation.contains("could not be evaluated"));
        assert!(snapshot.ask(ADA, List, READ).is_allow(), "out of scope of the broken policy");
    }
}

#[test]
fn an_unscoped_permit_does_not_allow_what_a_thing_has_no_action_for() {
    let snapshot = world().rules(r#"@id("all") permit (principal, action, resource);"#).build();
    assert!(snapshot.ask(ADA, Get, SUMMARY).is_allow());
    for (action, on) in [(Call, SUMMARY), (Get, READ), (Read, READ), (Call, FILES_ITSELF), (Call, README)] {
        let refused = denial(snapshot.ask(ADA, action, on));
        assert_eq!(*refused.rules, ["no-such-action".into()], "{action:?} {on:?}");
    }
}

#[test]
fn an_unlisted_uri_needs_a_grant_on_the_whole_server() {
    let uri = "file:///unlisted";
    let ask = |snapshot: &Snapshot, action, uri| {
        let server = snapshot.catalogue.server("files").unwrap();
        snapshot.decide(&caller(ADA), action, Target::Uri(server, uri), NOW)
    };
    let whole_server = world().grant(ADA_SELF, whole(FILES), &ALL).build();
    let permit = ask(&whole_server, Read, uri).permit().unwrap();
    assert_eq!((permit.kind(), permit.key(), permit.hash()), (Some(Resource), Some(uri), None));
    assert!(!ask(&whole_server, Call, uri).is_allow());

    let one_template = world().grant(ADA_SELF, one(FILES, ResourceTemplate, "file:///docs/{name}"), &ALL);
    assert!(!denial(ask(&one_template.build(), Read, uri)).visible);

    let listed = world().grant(ADA_SELF, one(FILES, Resource, "file:///readme"), &ALL).build();
    assert!(ask(&listed, Read, "file:///readme").is_allow(), "judged as the listed resource");
}

#[test]
fn things_of_an_older_snapshot_are_judged_as_they_are_now() {
    let older = world().grant(ADA_SELF, whole(FILES), &ALL).build();
    let kept = Arc::clone(older.catalogue.server("files").unwrap());
    let tool = kept.definition(Tool, "read").unwrap();
    let newer = world().grant(ADA_SELF, whole(FILES), &ALL).without(FILES).build();
    assert!(older.decide(&caller(ADA), Call, Target::Definition(&kept, tool), NOW).is_allow());
    assert!(!newer.decide(&caller(ADA), Call, Target::Definition(&kept, tool), NOW).is_allow());
    let gone = denial(Snapshot::empty().decide(&caller(ADA), Call, Target::Definition(&kept, tool), NOW));
    assert!(!gone.visible);
}

#[test]
fn a_new_generation_remembers_nothing_of_the_old_one() {
    let before = world().grant(ADA_SELF, whole(FILES), &ALL).build();
    assert!(before.ask(ADA, Call, READ).is_allow());
    let mut parts = crate::Parts::clone(&before);
    parts.generation.0 += 1;
    parts.grants = Arc::default();
    let after = Snapshot::new(parts);
    assert!(!after.ask(ADA, Call, READ).is_allow());
    assert_eq!(denial(after.ask(ADA, Call, READ)).generation.0, 8);
}

#[test]
fn a_server_registered_anew_under_an_old_name_inherits_no_grant() {
    let before = world().grant(ADA_SELF, whole(FILES), &ALL).build();
    let anew = Source {
        server: server(ServerId::from_bits(9), "files", true),
        discovery: Some(Arc::new(discovery(vec![definition(Tool, "read")]))),
        stale: false,
    };
    let mut parts = crate::Parts::clone(&before);
    parts.catalogue = Arc::new(Catalogue::build(vec![anew], []));
    let after = Snapshot::new(parts);
    assert!(before.ask(ADA, Call, READ).is_allow());
    assert_eq!(
        *denial(after.ask(ADA, Call, (ServerId::from_bits(9), Tool, "read"))).rules,
        ["default-deny".into()]
    );
}

mod properties;
