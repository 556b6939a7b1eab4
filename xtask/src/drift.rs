//! `cargo xtask drift`: files that the program generates are committed, so that changes of an interface are seen in review.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::place::{Place, Profile};
use crate::run::Run;
use crate::say;

/// What `bailiwick` prints for these arguments stands in this file.
const GENERATED: &[(&[&str], &str)] = &[
    (&["openapi"], "docs/openapi.json"),
    (&["config", "schema"], "docs/config.schema.json"),
    (&["help", "--markdown"], "docs/cli.md"),
];

/// Compares each file with what the debug build generates, or writes it.
pub(crate) fn run(place: &Place, bless: bool) -> Result<()> {
    let program = place.binary("bailiwick", Profile::Debug);
    let mut drifted = Vec::new();
    for (args, file) in GENERATED {
        let generated = Run::new(&program).args(*args).output(Duration::from_secs(30))?;
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
}
