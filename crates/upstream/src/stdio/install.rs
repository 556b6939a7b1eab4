//! Packages are installed first and then run confined: `npx` itself would fetch code at each start, with a network that
//! the program should not have and a home folder that it should not see.
//!
//! `npx [-y] package[@version] arguments…` is installed once, without the package's own scripts, below the gateway's
//! scratch folder; the child is then Node with the package's program. A version that is not named is the one of the day
//! of installation, until the folder is removed.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::child::find;
use crate::UpstreamError;
use crate::confine::{FAILURE, Mode, Plan, REPORT, Report};
use crate::health::clean;
use crate::upstream::Shared;

/// How long an installation may take.
const LONGEST: Duration = Duration::from_secs(600);
/// What is kept of what the installer says, in bytes.
const TAIL: usize = 2_000;

/// What a child runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    pub(super) command: PathBuf,
    pub(super) args: Vec<String>,
    /// What it needs to read beside the system's folders.
    pub(super) read: Vec<PathBuf>,
}

/// A package of the npm registry, with the arguments of its program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Package {
    spec: String,
    name: String,
    args: Vec<String>,
}

impl Package {
    /// The package that an `npx` command line means; none if it is another command.
    pub(super) fn of(command: &str, args: &[String]) -> Result<Option<Self>, UpstreamError> {
        if Path::new(command).file_name().is_none_or(|name| name != "npx") {
            return Ok(None);
        }
        let not_understood =
            UpstreamError::Unreachable("npx is understood as: npx -y package@version arguments");
        let quiet = |arg: &&String| matches!(arg.as_str(), "-y" | "--yes" | "-q" | "--quiet");
        let flags = args.iter().take_while(quiet).count();
        let (spec, args) =
            args.get(flags..).and_then(|rest| rest.split_first()).ok_or(not_understood.clone())?;
        let name = name(spec).ok_or(not_understood)?;
        Ok(Some(Self { spec: spec.clone(), name: name.to_owned(), args: args.to_vec() }))
    }

    fn folder(&self, shared: &Shared) -> PathBuf {
        let hash = hex(digest(&SHA256, self.spec.as_bytes()).as_ref());
        let readable = self.name.replace('/', "+");
        shared.parts.settings.scratch.join("packages").join(format!("{readable}-{hash}"))
    }

    /// The installed program, if it is there.
    pub(super) fn installed(&self, shared: &Shared) -> Option<Program> {
        let folder = self.folder(shared);
        let package = folder.join("node_modules").join(&self.name);
        let manifest = std::fs::read(package.join("package.json")).ok()?;
        let program = serde_json::from_slice::<Manifest>(&manifest).ok()?.program(&self.name)?;
        let program = package.join(program).canonicalize().ok().filter(|path| path.starts_with(&folder))?;
        let mut args = vec![program.to_str()?.to_owned()];
        args.extend(self.args.iter().cloned());
        Some(Program { command: find("node", &shared.parts.settings.path)?, args, read: vec![folder] })
    }

    /// Installs it.
    pub(super) async fn install(&self, shared: &Arc<Shared>) -> Result<(), UpstreamError> {
        let failed = |error: std::io::Error| {
            tracing::warn!(server = shared.name(), package = self.spec, %error, "a package was not installed");
            shared.pulse.note(|health| health.last_error = Some(clean(&error.to_string())));
            UpstreamError::Unreachable("its package cannot be installed")
        };
        tracing::info!(server = shared.name(), package = self.spec, "installing a package");
        let folder = self.folder(shared);
        let fresh = folder.with_extension(format!("new-{}", std::process::id()));
        let made = match tokio::time::timeout(LONGEST, self.fetch(shared, &fresh)).await {
            Ok(made) => made,
            Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
        };
        // Complete or absent: a half of a package never stands under the final name.
        let made = made.and_then(|()| std::fs::rename(&fresh, &folder));
        if made.is_err() {
            super::child::remove_scratch(&fresh);
        }
        made.map_err(failed)
    }

    async fn fetch(&self, shared: &Shared, into: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(into)?;
        let settings = &shared.parts.settings;
        let npm = find("npm", &settings.path).ok_or_else(|| std::io::Error::other("npm is not installed"))?;
        let words = [
            "install",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--no-update-notifier",
            "--loglevel=error",
        ];
        let mut args: Vec<String> = words.map(str::to_owned).to_vec();
        args.extend([
            "--prefix".to_owned(),
            into.to_string_lossy().into_owned(),
            "--".to_owned(),
            self.spec.clone(),
        ]);
        let cache = settings.scratch.join("npm-cache");
        let mut installer = Command::new(&settings.helper)
            .args(unconfined(npm, args, into).arguments()?)
            .env_clear()
            .env("PATH", &settings.path)
            .env("LANG", "C.UTF-8")
            // Where the company's registry is configured.
            .env("HOME", home())
            .envs(std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(leads_to_registry)))
            .env("npm_config_cache", cache)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let said = match installer.stderr.take() {
            Some(mut said) => tail(&mut said).await?,
            None => String::new(),
        };
        let ended = installer.wait().await?;
        if ended.success() { Ok(()) } else { Err(std::io::Error::other(format!("npm: {}", clean(&said)))) }
    }
}

/// The installer runs as the gateway, but ends with it like every child.
fn unconfined(npm: PathBuf, args: Vec<String>, folder: &Path) -> Plan {
    Plan {
        command: npm,
        args,
        cwd: Some(folder.to_owned()),
        scratch: folder.to_owned(),
        read: Vec::new(),
        write: Vec::new(),
        network: true,
        namespaces: false,
        uid: 0,
        memory_bytes: None,
        processes: None,
        mode: Mode::Off,
        report: Report::default(),
    }
}

/// Whether a variable of the gateway's own environment tells the installer how to reach its registry. No other one is
/// given on: the gateway's settings may have secrets among them.
fn leads_to_registry(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("npm_config_")
        || ["http_proxy", "https_proxy", "no_proxy", "node_extra_ca_certs"].contains(&name.as_str())
}

fn home() -> PathBuf {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten();
    user.map_or_else(|| PathBuf::from("/"), |user| user.dir)
}

/// The end of what somebody says, without the helper's own lines.
async fn tail(said: &mut tokio::process::ChildStderr) -> std::io::Result<String> {
    let mut kept = Vec::new();
    let mut chunk = vec![0; TAIL];
    loop {
        let count = said.read(&mut chunk).await?;
        if count == 0 {
            break;
        }
        kept.extend_from_slice(&chunk[..count]);
        kept.drain(..kept.len().saturating_sub(TAIL));
    }
    let text = String::from_utf8_lossy(&kept).into_owned();
    let lines = text.lines().filter(|line| !line.starts_with(REPORT));
    Ok(lines.map(|line| line.strip_prefix(FAILURE).unwrap_or(line)).collect::<Vec<_>>().join(" "))
}

/// The name in `[@scope/]name[@version]`; none for anything else that npm would take: addresses, folders, aliases.
fn name(spec: &str) -> Option<&str> {
    let plain = |text: &str| {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~^".contains(&byte);
        !text.is_empty() && !text.starts_with(['.', '-']) && text.bytes().all(good)
    };
    let bare = spec.strip_prefix('@');
    let (name, version) = match bare.unwrap_or(spec).split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (bare.unwrap_or(spec), None),
    };
    let good = match bare {
        Some(_) => name.split_once('/').is_some_and(|(scope, name)| plain(scope) && plain(name)),
        None => plain(name),
    };
    let length = name.len() + usize::from(bare.is_some());
    if good && version.is_none_or(plain) { spec.get(..length) } else { None }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// What of `package.json` names its program.
#[derive(Deserialize)]
struct Manifest {
    bin: Option<Bin>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Bin {
    One(String),
    Several(std::collections::BTreeMap<String, String>),
}

impl Manifest {
    /// As npx chooses: the only one, else the one that is called like the package.
    fn program(self, name: &str) -> Option<String> {
        match self.bin? {
            Bin::One(path) => Some(path),
            Bin::Several(mut paths) if paths.len() > 1 => paths.remove(name.rsplit('/').next()?),
            Bin::Several(paths) => paths.into_values().next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(args: &[&str]) -> Result<Option<Package>, UpstreamError> {
        Package::of("npx", &args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn an_npx_command_line_is_a_package_and_its_arguments() {
        for (args, spec, name, rest) in [
            (&["-y", "@a/b@1.2.3", "x", "-y"][..], "@a/b@1.2.3", "@a/b", &["x", "-y"][..]),
            (&["tool"], "tool", "tool", &[]),
            (&["--yes", "tool@latest"], "tool@latest", "tool", &[]),
            (&["tool@^1.0"], "tool@^1.0", "tool", &[]),
        ] {
            let package = package(args).unwrap().unwrap();
            assert_eq!((package.spec.as_str(), package.name.as_str()), (spec, name));
            assert_eq!(package.args, rest);
        }
        assert_eq!(Package::of("node", &[]).unwrap(), None);
    }

    #[test]
    fn whatever_else_npm_would_fetch_is_refused() {
        for args in [
            &[][..],
            &["-y"],
            &["-p", "a", "b"],
            &["./folder"],
            &["../x"],
            &["https://evil.example/x.tgz"],
            &["git+ssh://x"],
            &["user/repository"],
            &["a@npm:b"],
            &["a@file:/etc"],
            &["a@"],
            &["@a"],
            &["@a/../b"],
            &["a;b"],
        ] {
            assert!(package(args).is_err(), "{args:?}");
        }
    }

    #[test]
    fn the_program_is_the_only_one_or_the_one_called_like_the_package() {
        for (manifest, program) in [
            (r#"{"bin":"a.js"}"#, Some("a.js")),
            (r#"{"bin":{"other":"o.js"}}"#, Some("o.js")),
            (r#"{"bin":{"other":"o.js","b":"b.js"}}"#, Some("b.js")),
            (r#"{"bin":{"x":"o.js","y":"b.js"}}"#, None),
            ("{}", None),
        ] {
            let manifest: Manifest = serde_json::from_str(manifest).unwrap();
            assert_eq!(manifest.program("@a/b").as_deref(), program);
        }
    }
}
