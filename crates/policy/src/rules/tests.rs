use bailiwick_model::definition::DefinitionKind;
use bailiwick_model::grant::Action;
use bailiwick_model::{GroupId, TeamId};
use cedar_policy::{Entities, EntityUid, Schema};

use super::{InvalidRules, Rules, hash, schema};
use crate::entities::{self, Slice};
use crate::fixture;

fn refused(text: &str) -> InvalidRules {
    Rules::with(text).expect_err("refused")
}

#[test]
fn the_builtin_policies_fit_the_schema_strictly() {
    assert_eq!(Rules::with("").map(|_| ()), Ok(()));
}

#[test]
fn the_hash_is_that_of_the_whole_text() {
    let more = "@id(\"x\") forbid (principal, action, resource);";
    let rules = Rules::with(more).unwrap();
    assert!(rules.text().ends_with(more) && rules.text().starts_with(Rules::builtin().text()));
    assert_eq!(rules.hash(), Rules::with(more).unwrap().hash());
    assert_ne!(rules.hash(), Rules::builtin().hash());
    let known = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(hash("abc").to_string(), known);
}

#[test]
fn each_action_is_judged_by_the_policies_that_concern_it() {
    let rules = Rules::with(
        r#"@id("both") forbid (principal, action in [Action::"call", Action::"get"], resource) when { false };"#,
    )
    .unwrap();
    let counts = Action::ALL.map(|action| rules.by_action[action as usize].num_of_policies());
    assert_eq!(counts, [3, 4, 3, 4]);
}

#[test]
fn policies_that_do_not_fit_the_schema_are_refused_and_named() {
    for (clause, said) in [
        ("resource.colour == \"red\"", "colour"),
        ("resource.readOnly == \"yes\"", "compatible"),
        ("principal in resource.callers && context.hour > 8", "hour"),
        ("resource is Robot", "Robot"),
    ] {
        let text = format!(
            r#"@id("mine") forbid (principal, action == Action::"call", resource) when {{ {clause} }};"#
        );
        let refusal = refused(&text);
        let InvalidRules::Schema(why) = &refusal else { panic!("{clause}: {refusal:?}") };
        assert!(why.contains("mine") && why.contains(said), "{clause}: {why}");
    }
}

#[test]
fn policies_without_an_id_of_their_own_are_refused() {
    for text in [
        "forbid (principal, action, resource);",
        r#"@id("") forbid (principal, action, resource);"#,
        r#"@id("grant-call") forbid (principal, action, resource);"#,
        r#"@id("default-deny") forbid (principal, action, resource);"#,
        r#"@id("x") forbid (principal, action, resource); @id("x") forbid (principal, action, resource);"#,
    ] {
        assert!(matches!(refused(text), InvalidRules::Id(_)), "{text}");
    }
}

#[test]
fn texts_that_are_not_cedar_and_templates_are_refused() {
    for text in ["forbid", "@id(\"x\") permit (principal == ?principal, action, resource);", "}"] {
        assert!(matches!(refused(text), InvalidRules::Syntax(_)), "{text}");
    }
}

/// Every entity that decisions are made with, checked by Cedar against the schema.
#[test]
fn the_entities_of_every_decision_fit_the_schema() {
    let schema = schema().unwrap();
    let server = fixture::server(fixture::FILES, "files", true);
    let slices = DefinitionKind::ALL
        .map(|kind| Slice::of_definition(&server, &fixture::definition(kind, "x"), &[fixture::DESK]).unwrap())
        .into_iter()
        .chain([Slice::of_server(&server).unwrap(), Slice::of_uri(&server, "x://y").unwrap()]);
    for slice in slices {
        let grantees = slice.doors.iter().flat_map(|door| Action::ALL.map(|a| door.grantees(a).clone()));
        for id in [fixture::ADA, fixture::BOT] {
            let principal = fixture::principal(id);
            let uid = entities::principal_uid(&principal);
            let parents = grantees.clone().chain([entities::group_uid(GroupId::from_bits(1))]);
            let entity = entities::principal_entity(&principal, uid, parents).unwrap();
            let all = slice.entities.iter().cloned().chain([entity]);
            Entities::from_entities(all, Some(&schema)).unwrap();
        }
    }
    assert_eq!(server.team, TeamId::from_bits(1));
}

/// `Thing::knows` and the schema must agree on which requests there are.
#[test]
fn each_kind_has_the_actions_that_the_schema_gives_it() {
    let schema = schema().unwrap();
    let server = fixture::server(fixture::FILES, "files", true);
    for (kind, action) in DefinitionKind::ALL.into_iter().flat_map(|k| Action::ALL.map(|a| (k, a))) {
        let slice = Slice::of_definition(&server, &fixture::definition(kind, "x"), &[]).unwrap();
        let ours = action == Action::List || action == entities::use_of(kind);
        assert_eq!(applies(&schema, action, &slice.uid), ours, "{kind:?} {action:?}");
    }
    let whole = Slice::of_server(&server).unwrap().uid;
    let actions = Action::ALL.map(|action| applies(&schema, action, &whole));
    assert_eq!(actions, [true, false, false, false]);
}

fn applies(schema: &Schema, action: Action, resource: &EntityUid) -> bool {
    let kinds = schema.resources_for_action(entities::action_uid(action)).unwrap();
    kinds.into_iter().any(|kind| kind == resource.type_name())
}
