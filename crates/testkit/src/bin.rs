//! Finds the binaries of this package, for tests that need a real process.
//!
//! Cargo tells only a package's own tests where its binaries are (`CARGO_BIN_EXE_…`); tests of other packages look beside
//! their own executable, which lies in the same target folder (`target/debug/deps/` for tests, `target/debug/` for binaries).

use std::path::{Path, PathBuf};

/// Why a binary could not be found.
#[derive(Debug, thiserror::Error)]
pub enum NotFound {
    /// The path of the running executable is unknown.
    #[error("the running executable has no path")]
    CurrentExe(#[source] std::io::Error),
    /// Nothing by that name lies beside the running executable.
    #[error("no `{name}` in {}; run `cargo build -p bailiwick-testkit --bins` (with the same profile) first", looked_in.display())]
    NotBuilt {
        /// The binary that was asked for.
        name: String,
        /// The folder that should hold it.
        looked_in: PathBuf,
    },
}

/// The path of the binary `name` (for example `bailiwick-echo`) in the target folder of the running executable.
///
/// # Errors
/// [`NotFound::NotBuilt`] when it has not been built with this profile; the message says how.
pub fn path(name: &str) -> Result<PathBuf, NotFound> {
    let exe = std::env::current_exe().map_err(NotFound::CurrentExe)?;
    find(&exe, name)
}

fn find(exe: &Path, name: &str) -> Result<PathBuf, NotFound> {
    let folder = exe.parent().unwrap_or(Path::new("."));
    let nested = folder.file_name().is_some_and(|last| last == "deps" || last == "examples");
    let folder = if nested { folder.parent().unwrap_or(folder) } else { folder };
    let found = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if found.is_file() {
        return Ok(found);
    }
    Err(NotFound::NotBuilt { name: name.to_owned(), looked_in: folder.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_finds_binaries_one_folder_above_its_own() {
        let target = tempfile::tempdir().unwrap();
        std::fs::create_dir(target.path().join("deps")).unwrap();
        std::fs::write(target.path().join("bailiwick-echo"), "").unwrap();
        let test = target.path().join("deps").join("gateway-1234");
        assert_eq!(find(&test, "bailiwick-echo").unwrap(), target.path().join("bailiwick-echo"));
        let sibling = target.path().join("bailiwick");
        assert_eq!(find(&sibling, "bailiwick-echo").unwrap(), target.path().join("bailiwick-echo"));
    }

    #[test]
    fn a_missing_binary_says_how_to_build_it() {
        let target = tempfile::tempdir().unwrap();
        let error = find(&target.path().join("bailiwick"), "bailiwick-echo").unwrap_err();
        assert!(error.to_string().contains("cargo build -p bailiwick-testkit --bins"), "{error}");
    }
}
