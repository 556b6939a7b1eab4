//! A secret stands in the settings themselves or in a file that they name, never in both.

use std::io;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use crate::problem::Problems;

/// Reads a whole file as text: `std::fs::read_to_string` in the binary.
pub(crate) type ReadFile<'a> = &'a dyn Fn(&Path) -> io::Result<String>;

/// The secret `key`, given as it is or as `{key}_file`; line breaks at the end of a file are dropped.
pub(crate) fn secret(
    key: &'static str,
    inline: Option<String>,
    file: Option<PathBuf>,
    read: ReadFile<'_>,
    problems: &mut Problems,
) -> Option<SecretString> {
    let (inline, path) = match (inline, file) {
        (Some(_), Some(_)) => {
            problems.add(key, format!("both {key} and {key}_file are set")).help("keep one of them");
            return None;
        }
        (Some(inline), None) => (inline, None),
        (None, Some(path)) => match read(&path) {
            Ok(text) => (text.trim_end_matches(['\r', '\n']).to_owned(), Some(path)),
            Err(error) => {
                problems
                    .add(format!("{key}_file"), format!("{} cannot be read: {error}", path.display()))
                    .done();
                return None;
            }
        },
        (None, None) => return None,
    };
    if inline.is_empty() {
        match path {
            Some(path) => problems.add(format!("{key}_file"), format!("{} is empty", path.display())).done(),
            None => problems.add(key, "empty").help("leave the key out if it is not wanted"),
        }
        return None;
    }
    Some(SecretString::from(inline))
}
