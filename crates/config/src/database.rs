//! `[database]`: which database. Absent, the embedded one in the data directory.

use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::problem::Problems;
use crate::secret::{ReadFile, secret};

/// The database. Without a URL it is an embedded SQLite file in the data directory.
#[derive(Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DatabaseFile {
    /// `postgres://user:password@host:5432/name`. A secret: prefer `url_file` or the environment.
    url: Option<String>,
    /// A file that holds the URL.
    url_file: Option<std::path::PathBuf>,
}

/// Which database.
#[derive(Debug, Clone, Default)]
pub struct Database {
    /// The URL of a PostgreSQL database; `None` is SQLite in the data directory.
    pub url: Option<SecretString>,
}

impl DatabaseFile {
    pub(crate) fn check(self, read: ReadFile<'_>, problems: &mut Problems) -> Database {
        let url = secret("database.url", self.url, self.url_file, read, problems);
        if let Some(url) = &url {
            let scheme_ok = Url::parse(url.expose_secret())
                .is_ok_and(|url| matches!(url.scheme(), "postgres" | "postgresql") && url.has_host());
            if !scheme_ok {
                problems.add("database.url", "not the URL of a PostgreSQL database").help(
                    "write postgres://user:password@host:5432/name, or leave it out for the embedded database",
                );
            }
        }
        Database { url }
    }
}
