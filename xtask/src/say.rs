//! What people read: lines on standard output, and tables.

use std::fmt::Display;
use std::io::Write as _;

/// Prints a line at once. That nobody reads it any more is no error of the work.
pub(crate) fn line(text: impl Display) {
    let mut out = std::io::stdout().lock();
    drop(writeln!(out, "{text}").and_then(|()| out.flush()));
}

/// Prints a heading.
pub(crate) fn heading(text: impl Display) {
    line(format_args!("\n== {text}"));
}

/// Rows under a head; numbers stand to the right.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(head.get(column).map(|cell| cell.len())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let numeric = |cell: &str| cell.parse::<f64>().is_ok();
    let print = |row: &mut dyn Iterator<Item = &str>| {
        let cells = row.zip(&widths).map(|(cell, &width)| match numeric(cell) {
            true => format!("{cell:>width$}"),
            false => format!("{cell:<width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![print(&mut head.iter().copied())];
    lines.push(widths.iter().map(|&width| "-".repeat(width)).collect::<Vec<_>>().join("  "));
    lines.extend(rows.iter().map(|row| print(&mut row.iter().map(String::as_str))));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_as_wide_as_its_widest_cells() {
        let rows = [vec!["direct".to_owned(), "9".to_owned()], vec!["x".to_owned(), "10000".to_owned()]];
        let expected = "way     rps\n------  -----\ndirect      9\nx       10000";
        assert_eq!(table(&["way", "rps"], &rows), expected);
    }
}
