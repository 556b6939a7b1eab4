//! The first start's one-time link: on a terminal it is shown, elsewhere it goes into a file for its owner only.

use std::io::{IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use bailiwick_control::LoginLink;
use secrecy::ExposeSecret as _;

/// The file's name in the data directory.
pub(crate) const FILE: &str = "admin-link";

/// Shows the link where only the operator sees it. It is never logged.
pub(crate) fn show(data: &Path, link: &LoginLink) -> anyhow::Result<()> {
    let mut terminal = std::io::stderr();
    if terminal.is_terminal() {
        writeln!(
            terminal,
            "\nFirst start. Open this link once, or run `bailiwick login LINK`, to administer (until {}):\n\n  {}\n",
            link.expires_at,
            link.url.expose_secret()
        )?;
        return Ok(());
    }
    let path = data.join(FILE);
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot write the one-time link to {}", path.display()))?;
    writeln!(file, "{}", link.url.expose_secret())?;
    tracing::info!(file = %path.display(), "first start: the one-time link for the administrator is in this file");
    Ok(())
}
