use bailiwick_model::capture::CaptureAction;

use super::Rules;

#[test]
fn paths_that_are_none_are_told_with_their_place() {
    for (path, at, reason) in [
        ("", 0, "a path begins with $"),
        ("a.b", 0, "a path begins with $"),
        ("$a", 1, "here must be `.`, `..` or `[`"),
        ("$.", 2, "here must be a name"),
        ("$.a.", 4, "here must be a name"),
        ("$...a", 3, "here must be a name"),
        ("$.a[", 4, "in brackets may be"),
        ("$.a[0]", 4, "in brackets may be"),
        ("$.a[?@.b]", 4, "in brackets may be"),
        ("$['a]", 3, "the quote is not closed"),
        ("$['a'x", 5, "here must be `]`"),
        ("$.a b", 3, "here must be"),
        ("$..*", 3, "here must be a name"),
    ] {
        let error = Rules::compile([(path, CaptureAction::Mask)]).expect_err(path);
        assert_eq!(error.at, at, "{error}");
        assert!(error.reason.starts_with(reason), "{error}");
        assert!(error.to_string().contains(&format!("at byte {at}")));
    }
}

#[test]
fn the_first_bad_path_is_named() {
    let error =
        Rules::compile([("$.good", CaptureAction::Drop), ("bad", CaptureAction::Keep)]).expect_err("bad");
    assert_eq!(error.path, "bad");
}
