use proptest::prelude::*;

use super::UriTemplate;

fn covers(template: &str, uri: &str) -> bool {
    UriTemplate::parse(template).is_some_and(|t| t.matches(uri))
}

#[test]
fn templates_cover_what_they_expand_to() {
    for (template, uri) in [
        ("demo://item/{id}", "demo://item/42"),
        ("demo://item/{id}", "demo://item/a%20b"),
        ("demo://item/{id}", "demo://item/größe"),
        ("demo://item/{id}", "demo://item/a.b..c"),
        ("demo://{a}/x/{b}", "demo://1/x/2"),
        ("demo://{a}{b}", "demo://12"),
        ("map://{x,y}", "map://1024,768"),
        ("file:///{+path}", "file:///a/b/c.txt"),
        ("file:///{+path}", "file:///"),
        ("{+uri}", "any://thing/at?all"),
        ("doc://a{#part}", "doc://a"),
        ("doc://a{#part}", "doc://a#b/c"),
        ("doc://a{.ext}", "doc://a.txt"),
        ("doc://a{/b,c}", "doc://a/1/2"),
        ("doc://a{;x,y}", "doc://a;x=1;y"),
        ("doc://a{?q,lang}", "doc://a"),
        ("doc://a{?q,lang}", "doc://a?q=1"),
        ("doc://a{?q,lang}", "doc://a?lang=de&q=1"),
        ("doc://a{?q,lang}{#part}", "doc://a?q=1#b"),
        ("doc://a?fixed=1{&q}", "doc://a?fixed=1&q=2"),
        ("doc://a{?q}&fixed=1", "doc://a?q=2&fixed=1"),
        ("doc://plain", "doc://plain"),
    ] {
        assert!(covers(template, uri), "{template} {uri}");
    }
}

#[test]
fn templates_do_not_cover_what_they_never_expand_to() {
    for (template, uri) in [
        ("demo://item/{id}", "demo://item/"),
        ("demo://item/{id}", "demo://item/1/2"),
        ("demo://item/{id}", "demo://item/1?x=2"),
        ("demo://item/{id}", "demo://item/1#x"),
        ("demo://item/{id}", "DEMO://item/1"),
        ("demo://item/{id}", "xdemo://item/1"),
        ("demo://item/{id}/end", "demo://item/1/end/more"),
        ("map://{x,y}", "map://1024"),
        ("map://{x,y}", "map://1,2,3"),
        ("doc://a{.ext}", "doc://a"),
        ("doc://a{/b,c}", "doc://a/1"),
        ("doc://a{?q}", "doc://a?other=1"),
        ("doc://a{?q}", "doc://a?q=1&q=2"),
        ("doc://a{?q}", "doc://a?q=1&other=2"),
        ("doc://a{?q}", "doc://a?"),
        ("doc://a{?q}", "doc://a?q=1/2"),
        ("doc://plain", "doc://plain2"),
        ("", "x"),
    ] {
        assert!(!covers(template, uri), "{template} {uri}");
    }
}

#[test]
fn no_template_is_escaped_by_dots_slashes_encodings_or_control_characters() {
    for uri in [
        "file:///docs/../etc/passwd",
        "file:///docs/..",
        "file:///docs/.",
        "file:///docs/./x",
        "file:///docs/a/..",
        "file:///docs/%2e%2e/x",
        "file:///docs/.%2E",
        "file:///docs/%2E",
        "file:///docs/a%2fb",
        "file:///docs/a%2Fb",
        "file:///docs/%252e%252e%252f",
        "file:///docs/a%5cb",
        "file:///docs/a\\b",
        "file:///docs/..\\x",
        "file:///docs/a%00",
        "file:///docs/a%0d%0ab",
        "file:///docs/a\0",
        "file:///docs/a\nb",
        "file:///docs/a\u{85}b",
        "file:///docs/a%",
        "file:///docs/a%2",
        "file:///docs/a%zz",
        "file:///docs/a%+1",
        "file:///docs/..;/x",
        "file:///docs/..?x",
        "file:///docs/..#x",
        "file:///docs/x?path=..",
        "file:///docs/x?path=../../etc",
    ] {
        for template in ["file:///docs/{name}", "file:///docs/{+path}", "{+uri}", "file:///docs/x{?path}"] {
            assert!(!covers(template, uri), "{template} {uri:?}");
        }
    }
}

#[test]
fn texts_that_are_no_templates_of_level_three_are_not_parsed() {
    for template in [
        "{", "}", "a}b", "{}", "{a", "{a{b}}", "{a*}", "{a:3}", "{=a}", "{|a}", "{a b}", "{,a}", "{a,}",
        "{+}",
    ] {
        assert_eq!(UriTemplate::parse(template), None, "{template}");
    }
    assert_eq!(UriTemplate::parse(&"a".repeat(3_000)), None);
    assert_eq!(UriTemplate::parse(&"{a}".repeat(33)), None);
}

#[test]
fn a_hostile_template_and_a_long_uri_are_matched_in_bounded_time() {
    let template = UriTemplate::parse(&"{+a}{b}".repeat(16)).unwrap();
    let uri = "a".repeat(4_000) + "/";
    assert!(!UriTemplate::parse("{a}{b}{c}{d}{e}{f}{g}/x").unwrap().matches(&uri));
    assert!(template.matches(&uri[..4_000]));
    assert!(!template.matches(&"a".repeat(5_000)));
}

proptest! {
    #[test]
    fn parsing_and_matching_never_panic(template in ".{0,60}", uri in ".{0,60}") {
        covers(&template, &uri);
    }

    #[test]
    fn a_simple_variable_covers_one_segment_only(value in "[a-z0-9_~-]{1,12}", rest in "[a-z/?#]{0,8}") {
        let uri = format!("x://s/{value}{rest}");
        let one_segment = !rest.contains(['/', '?', '#']);
        prop_assert_eq!(covers("x://s/{v}", &uri), one_segment);
    }

    #[test]
    fn whatever_is_covered_stays_below_the_literal_prefix(uri in "file://[a-z./%2eEfF\\\\]{0,24}") {
        if covers("file://a/{+p}", &uri) {
            prop_assert!(uri.starts_with("file://a/"));
            prop_assert!(!uri.contains("/../") && !uri.ends_with("/..") && !uri.to_lowercase().contains("%2"));
        }
    }
}
