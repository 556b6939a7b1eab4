//! The key that `bailiwick login` keeps: `$XDG_CONFIG_HOME/bailiwick/credentials.toml`, for its owner alone.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

use super::environment::variable;
use super::failure::Failure;

/// A key, and the gateway that it is for.
#[derive(Debug)]
pub(super) struct Credentials {
    /// The gateway's URL, without a final slash.
    pub(super) url: String,
    /// The key.
    pub(super) key: SecretString,
}

/// Where they are.
pub(super) fn path() -> Result<PathBuf, Failure> {
    let folder = match (variable("XDG_CONFIG_HOME")?, variable("HOME")?) {
        (Some(folder), _) => PathBuf::from(folder),
        (None, Some(home)) => Path::new(&home).join(".config"),
        (None, None) => {
            return Err(Failure::other("neither XDG_CONFIG_HOME nor HOME is set")
                .hint("put the key into BAILIWICK_KEY"));
        }
    };
    Ok(folder.join("bailiwick").join("credentials.toml"))
}

/// Reads them; `None` if there are none.
pub(super) fn read(path: &Path) -> Result<Option<Credentials>, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::other(format!("{}: {error}", path.display()))),
    };
    let mode = fs::metadata(path).map(|data| data.permissions().mode()).unwrap_or(0o777);
    if mode & 0o077 != 0 {
        return Err(Failure::other(format!("{} can be read by others", path.display()))
            .hint(format!("chmod 600 {}", path.display())));
    }
    let broken =
        || Failure::other(format!("{} is damaged", path.display())).hint("run `bailiwick login LINK`");
    let table: toml::Table = text.parse().map_err(|_| broken())?;
    let member = |name: &str| table.get(name).and_then(toml::Value::as_str).map(ToOwned::to_owned);
    let (url, key) = member("url").zip(member("key")).ok_or_else(broken)?;
    Ok(Some(Credentials { url, key: key.into() }))
}

/// Writes them, whole or not at all.
pub(super) fn write(path: &Path, credentials: &Credentials) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::other(format!("{}: {error}", path.display()));
    let folder = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let mut table = toml::Table::new();
    table.insert("url".into(), credentials.url.clone().into());
    table.insert("key".into(), credentials.key.expose_secret().into());
    let new = path.with_extension("toml.new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).map_err(failed)?;
    file.write_all(table.to_string().as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&new, path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_key_reads_back_and_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/bailiwick/credentials.toml");
        assert!(read(&path).unwrap().is_none());
        for key in ["bwk_one", "bwk_two"] {
            let credentials = Credentials { url: "http://127.0.0.1:7420".into(), key: key.into() };
            write(&path, &credentials).unwrap();
            assert_eq!(read(&path).unwrap().unwrap().key.expose_secret(), key);
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(read(&path).unwrap_err().message.contains("can be read by others"));
    }
}
