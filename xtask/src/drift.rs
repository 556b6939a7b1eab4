//! `cargo xtask drift`: files that the program generates are committed, so that changes of an interface are seen in review.
//!
//! `docs/openapi.json` is held by a test of the console, which has the routes at hand.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::place::{Place, Profile};
use crate::run::Run;
use crate::say;

/// Where a generated file comes from.
enum Source {
    /// What `bailiwick` prints for these arguments.
    Printed(&'static [&'static str]),
    /// The help of every command.
    Help,
}

const GENERATED: &[(Source, &str)] =
    &[(Source::Printed(&["config", "schema"]), "docs/config.schema.json"), (Source::Help, "docs/cli.md")];

const PATIENCE: Duration = Duration::from_secs(30);

/// Compares each file with what the debug build generates, or writes it.
pub(crate) fn run(place: &Place, bless: bool) -> Result<()> {
    let mut drifted = Vec::new();
    for (source, file) in GENERATED {
        let generated = generate(place, source).with_context(|| format!("cannot generate {file}"))?;
        let path = place.root.join(file);
        if bless {
            fs::write(&path, &generated).with_context(|| format!("cannot write {file}"))?;
            say::line(format_args!("wrote {file}"));
        } else if let Some(difference) = difference(&path, &generated) {
            drifted.push(format!("{file}: {difference}"));
        }
    }
    if !drifted.is_empty() {
        bail!(
            "generated files differ (`cargo xtask drift --bless` writes them):\n  {}",
            drifted.join("\n  ")
        );
    }
    Ok(())
}

fn generate(place: &Place, source: &Source) -> Result<String> {
    let program = place.binary("bailiwick", Profile::Debug);
    match source {
        Source::Printed(args) => Run::new(&program).args(*args).output(PATIENCE),
        Source::Help => {
            let mut page =
                "# Command line\n\nWritten by `cargo xtask drift --bless` from the help of every command.\n"
                    .to_owned();
            help(&program, &["bailiwick".to_owned()], &mut page)?;
            Ok(page)
        }
    }
}

/// Adds the help of a command and of those below it.
fn help(program: &Path, command: &[String], page: &mut String) -> Result<()> {
    let asked = Run::new(program).args(&command[1..]).arg("--help").env("COLUMNS", "100");
    let text = asked.output(PATIENCE)?;
    let title = command.join(" ");
    *page += &format!("\n## {title}\n\n```text\n{}\n```\n", text.trim_end());
    for name in commands(&text) {
        help(program, &[command, &[name.to_owned()]].concat(), page)?;
    }
    Ok(())
}

/// The commands that a help text lists, but for `help`.
fn commands(text: &str) -> impl Iterator<Item = &str> {
    let section = text.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = section.take_while(|line| line.starts_with("  "));
    // Deeper lines go on with the description above them.
    let named = listed.filter(|line| !line.starts_with("   "));
    named.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help")
}

/// Where a file first differs from what it should hold, if it does.
fn difference(path: &Path, generated: &str) -> Option<String> {
    let Ok(committed) = fs::read_to_string(path) else { return Some("is not there".to_owned()) };
    if committed == generated {
        return None;
    }
    let same = committed.lines().zip(generated.lines()).take_while(|(old, new)| old == new).count();
    let old = committed.lines().nth(same).unwrap_or("(end)").trim();
    let new = generated.lines().nth(same).unwrap_or("(end)").trim();
    Some(format!("line {}: `{old}` is now `{new}`", same + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_named_by_its_first_line() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/requirements.txt");
        let committed = fs::read_to_string(&file).unwrap();
        assert_eq!(difference(&file, &committed), None);
        let found = difference(&file, "other\n").unwrap();
        assert!(found.starts_with("line 1: ") && found.ends_with("is now `other`"), "{found}");
        assert_eq!(difference(Path::new("/no/such"), ""), Some("is not there".to_owned()));
    }

    #[test]
    fn commands_are_found_in_a_help_text() {
        let text = "About\n\nCommands:\n  serve   Run\n            it\n  server  Servers\n  help    Print\n\nOptions:\n  -h\n";
        assert_eq!(commands(text).collect::<Vec<_>>(), ["serve", "server"]);
    }
}
