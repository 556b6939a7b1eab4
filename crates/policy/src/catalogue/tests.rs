use bailiwick_model::definition::DefinitionKind::{Resource, ResourceTemplate, Tool};

use super::*;
use crate::fixture::{DESK, FILES, MAIL, definition, discovery, server, world};

#[test]
fn servers_and_toolsets_are_found_by_name_and_id() {
    let snapshot = world().build();
    let catalogue = &snapshot.catalogue;
    assert_eq!(catalogue.server("files").unwrap().server.id, FILES);
    assert_eq!(catalogue.server_by_id(MAIL).unwrap().server.name.as_str(), "mail");
    assert_eq!(catalogue.toolset("desk").unwrap().toolset.id, DESK);
    assert_eq!(catalogue.toolset_by_id(DESK).unwrap().toolset.name.as_str(), "desk");
    assert!(catalogue.server("desk").is_none() && catalogue.toolset("files").is_none());
}

#[test]
fn a_toolset_holds_each_member_once_by_server_kind_and_the_server_s_order() {
    let snapshot = world().build();
    let desk = snapshot.catalogue.toolset("desk").unwrap();
    let members: Vec<_> =
        desk.members().iter().map(|m| (m.server.server.name.as_str(), m.definition.key.as_str())).collect();
    assert_eq!(members, [("files", "read"), ("mail", "send"), ("mail", "read")]);
    assert_eq!(snapshot.catalogue.toolsets_of(FILES, Tool, "read"), [DESK]);
    assert!(snapshot.catalogue.toolsets_of(FILES, Tool, "erase").is_empty());
    assert!(snapshot.catalogue.toolsets_of(FILES, Resource, "read").is_empty());
}

#[test]
fn a_uri_is_covered_by_the_listed_resource_or_else_by_the_most_literal_template() {
    let snapshot = world().build();
    let files = snapshot.catalogue.server("files").unwrap();
    for (uri, covered_by) in [
        ("file:///readme", Some((Resource, "file:///readme"))),
        ("file:///docs/a", Some((ResourceTemplate, "file:///docs/{name}"))),
        ("file:///docs/a/b", Some((ResourceTemplate, "file:///{+path}"))),
        ("file:///docs/../secret", None),
        ("mail:///x", None),
    ] {
        let found = files.resource_for_uri(uri).map(|d| (d.kind, d.key.as_str()));
        assert_eq!(found, covered_by, "{uri}");
    }
}

#[test]
fn a_server_that_was_never_discovered_is_known_but_offers_nothing() {
    let source = Source { server: server(FILES, "files", true), discovery: None, stale: true };
    let catalogue = Catalogue::build(vec![source], []);
    let found = catalogue.server("files").unwrap();
    assert!(!found.available && found.stale && found.definitions.is_empty() && found.hello.is_none());
}

#[test]
fn of_two_definitions_under_one_key_the_first_is_found() {
    let mut second = definition(Tool, "same");
    second.hash.0 = [9; 32];
    let offered = discovery(vec![definition(Tool, "same"), second]);
    let source =
        Source { server: server(FILES, "files", true), discovery: Some(Arc::new(offered)), stale: false };
    let catalogue = Catalogue::build(vec![source], []);
    let found = catalogue.server("files").unwrap();
    assert_eq!(found.definition(Tool, "same").unwrap().hash.0, [0; 32]);
}
