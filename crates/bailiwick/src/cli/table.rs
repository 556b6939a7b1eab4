//! Tables and lists of facts, every cell cleaned.

use comfy_table::{ContentArrangement, Table, presets};

use super::clean::clean;

/// A table; a sentence if there is nothing in it.
pub(super) fn table<const N: usize>(
    head: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
    nothing: &str,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head.map(str::to_uppercase));
    let mut empty = true;
    for row in rows {
        empty = false;
        table.add_row(row.iter().map(|cell| clean(cell)));
    }
    if empty { nothing.to_owned() } else { table.lines().map(|l| l.trim_end().to_owned() + "\n").collect() }
}

/// Facts about one thing, one per line; absent ones are left out.
pub(super) fn facts<'a>(facts: impl IntoIterator<Item = (&'a str, Option<String>)>) -> String {
    let known: Vec<_> = facts.into_iter().filter_map(|(name, fact)| Some((name, fact?))).collect();
    let width = known.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    known.iter().map(|(name, fact)| format!("{name:width$}  {}\n", clean(fact))).collect()
}

/// A moment without its fractions of a second.
pub(super) fn moment(text: &str) -> String {
    match text.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => text.to_owned(),
    }
}

/// Yes or no.
pub(super) fn yes_no(yes: bool) -> String {
    if yes { "yes".to_owned() } else { "no".to_owned() }
}

/// The text, or a dash.
pub(super) fn or_dash(text: Option<String>) -> String {
    text.filter(|text| !text.is_empty()).unwrap_or_else(|| "-".to_owned())
}
