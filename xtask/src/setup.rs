//! What the tests need beside Rust and Node: packages of Debian, npm and PyPI. Everything is said before it is done;
//! what cannot be had is said too, and the steps that need it are skipped.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::place::Place;
use crate::run::{Run, exists, interrupted};
use crate::say;

const INSTALL: Duration = Duration::from_secs(600);

/// Makes ready what it can; the reasons for what it cannot.
pub(crate) fn run(place: &Place) -> Result<Vec<String>> {
    let mut missing = Vec::new();
    let attempts: [(&str, &dyn Fn() -> Result<()>); 3] = [
        ("Debian packages", &|| debian(&[&POSTGRESQL, &VENV])),
        ("npm packages", &|| npm(place)),
        ("Python packages", &|| python(place)),
    ];
    for (what, attempt) in attempts {
        if let Err(error) = attempt() {
            if interrupted() {
                return Err(error);
            }
            say::line(format_args!("SKIPPED: {what}: {error:#}"));
            missing.push(what.to_owned());
        }
    }
    Ok(missing)
}

/// A Debian package and how to see that it is there.
pub(crate) struct Package {
    name: &'static str,
    what_for: &'static str,
    there: fn() -> bool,
}

const POSTGRESQL: Package = Package {
    name: "postgresql",
    what_for: "the database suite runs on SQLite and on PostgreSQL",
    there: || versions_of_postgresql().is_some_and(|mut versions| versions.any(|version| version.exists())),
};

const VENV: Package = Package {
    name: "python3-venv",
    what_for: "the official Python SDK is a peer in the end-to-end test, a verifier in Python checks ledgers, an S3 server takes archives",
    there: || Run::new("python3").args(["-c", "import ensurepip"]).output(INSTALL).is_ok(),
};

pub(crate) const NGINX: Package = Package {
    name: "nginx",
    what_for: "the bench compares with the cost of a plain HTTP proxy",
    there: || crate::bench::nginx::program().is_some(),
};

fn versions_of_postgresql() -> Option<impl Iterator<Item = PathBuf>> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    Some(versions.flatten().map(|version| version.path().join("bin/postgres")))
}

/// Installs what is missing, if this machine has apt and we are root.
pub(crate) fn debian(packages: &[&Package]) -> Result<()> {
    let missing: Vec<_> = packages.iter().filter(|package| !(package.there)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|package| package.name).collect();
    if !exists("apt-get") || !rustix::process::getuid().is_root() {
        bail!("{} cannot be installed without apt-get and root", names.join(", "));
    }
    for package in missing {
        say::line(format_args!("Installing the Debian package {}: {}", package.name, package.what_for));
    }
    let apt = || Run::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").arg("-qq");
    apt().arg("update").status()?;
    apt().args(["install", "-y", "--no-install-recommends"]).args(names).status()
}

/// Installs exactly what the committed lock file says, into a cache.
pub(crate) fn npm(place: &Place) -> Result<()> {
    let cache = place.npm();
    let from = place.root.join("xtask/npm");
    let lock = from.join("package-lock.json");
    let stamp = cache.join("installed");
    if is_current(&stamp, &[&lock, &from.join("package.json")])? {
        return Ok(());
    }
    if !exists("npm") {
        bail!("there is no npm");
    }
    say::line(format_args!(
        "Installing packages from npm into {}: the conformance suite with its Node, the TypeScript SDK, two reference servers",
        cache.display()
    ));
    fs::create_dir_all(&cache)?;
    for file in ["package.json", "package-lock.json", ".npmrc"] {
        fs::copy(from.join(file), cache.join(file))
            .with_context(|| format!("cannot copy xtask/npm/{file}"))?;
    }
    Run::new("npm")
        .dir(&cache)
        .args(["ci", "--no-fund", "--no-audit", "--loglevel=error"])
        .output(INSTALL)?;
    write_stamp(&stamp, &[&lock, &from.join("package.json")])
}

/// Makes a virtual environment with the official SDK, what the independent verifier of ledgers needs, and an S3 server.
fn python(place: &Place) -> Result<()> {
    let wanted = place.root.join("xtask/e2e/requirements.txt");
    let venv = place.python();
    let stamp = venv.join("installed");
    if is_current(&stamp, &[&wanted])? {
        return Ok(());
    }
    if !exists("python3") {
        bail!("there is no python3");
    }
    say::line(format_args!(
        "Installing the official Python SDK, an Ed25519 library and an S3 server into {}",
        venv.display()
    ));
    Run::new("python3").args(["-m", "venv"]).arg(&venv).output(INSTALL)?;
    let pip = Run::new(venv.join("bin/pip")).args(["install", "--quiet", "--disable-pip-version-check"]);
    pip.arg("--requirement").arg(&wanted).output(INSTALL)?;
    write_stamp(&stamp, &[&wanted])
}

/// Whether an installation was made from these very files.
fn is_current(stamp: &Path, from: &[&Path]) -> Result<bool> {
    Ok(stamp.exists() && fs::read(stamp)? == contents(from)?)
}

fn write_stamp(stamp: &Path, from: &[&Path]) -> Result<()> {
    Ok(fs::write(stamp, contents(from)?)?)
}

fn contents(files: &[&Path]) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    for file in files {
        all.extend(fs::read(file).with_context(|| format!("cannot read {}", file.display()))?);
    }
    Ok(all)
}

/// The folder of the programs that npm installed, with a Node that the suite can run on.
pub(crate) fn npm_programs(place: &Place) -> Option<PathBuf> {
    place.npm().join("installed").exists().then(|| place.npm().join("node_modules/.bin"))
}

/// The Python with the SDK.
pub(crate) fn python_program(place: &Place) -> Option<PathBuf> {
    place.python().join("installed").exists().then(|| place.python().join("bin/python"))
}
