//! Finding and reading the settings file, for `serve` and `config check`.

use std::path::{Path, PathBuf};

use bailiwick_config::{ConfigError, Settings, Source};

use super::failure::Failure;

/// The file that is read if none is named.
const DEFAULT_FILE: &str = "bailiwick.toml";

/// Reads the settings: the file that is named, else `./bailiwick.toml` if there is one, under the environment.
///
/// # Errors
/// If the file cannot be read, or something in it or in the environment is wrong.
pub fn load_settings(file: Option<&Path>) -> Result<Settings, Failure> {
    let path = match file {
        Some(path) => Some(path.to_owned()),
        None => Some(PathBuf::from(DEFAULT_FILE)).filter(|path| path.exists()),
    };
    let source = match path {
        Some(path) => {
            let text = std::fs::read_to_string(&path)
                .map_err(|error| Failure::other(format!("{}: {error}", path.display())))?;
            Some(Source { name: path.display().to_string(), text })
        }
        None => None,
    };
    Settings::load(source, std::env::vars_os(), &|path| std::fs::read_to_string(path))
        .map_err(|error: ConfigError| Failure::other(error.to_string()))
}
