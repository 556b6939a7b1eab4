//! Where things are: the repository, what Cargo builds, the caches of the tests, and scratch folders.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use cargo_metadata::MetadataCommand;

use crate::run::Run;

/// The folders that commands work in.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The repository.
    pub(crate) root: PathBuf,
    /// Cargo's target folder.
    pub(crate) target: PathBuf,
}

/// Which build of our binaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    Debug,
    Release,
}

impl Place {
    pub(crate) fn find() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec()?;
        Ok(Self { root: metadata.workspace_root.into(), target: metadata.target_directory.into() })
    }

    /// Where the packages from npm are installed; ignored by Git.
    pub(crate) fn npm(&self) -> PathBuf {
        self.root.join(".cache/npm")
    }

    /// The virtual environment of Python; ignored by Git.
    pub(crate) fn python(&self) -> PathBuf {
        self.root.join(".cache/py")
    }

    /// A binary that [`Place::build`] has built.
    pub(crate) fn binary(&self, name: &str, profile: Profile) -> PathBuf {
        let folder = match profile {
            Profile::Debug => "debug",
            Profile::Release => "release",
        };
        self.target.join(folder).join(name)
    }

    /// Builds the binaries of some packages, with Cargo's progress shown.
    pub(crate) fn build(&self, packages: &[&str], profile: Profile) -> Result<()> {
        let mut cargo = Run::cargo().dir(&self.root).args(["build", "--locked", "--bins"]);
        for package in packages {
            cargo = cargo.args(["--package", package]);
        }
        if profile == Profile::Release {
            cargo = cargo.arg("--release");
        }
        cargo.status()
    }

    /// An empty folder that is removed in the end.
    pub(crate) fn scratch(&self, name: &str) -> Result<Scratch> {
        let path = self.target.join("xtask").join(format!("{name}-{}", std::process::id()));
        fresh(&path)?;
        Ok(Scratch { path })
    }
}

/// Makes an empty folder, in place of whatever was there.
pub(crate) fn fresh(path: &Path) -> Result<()> {
    if path.exists() {
        fs::remove_dir_all(path).with_context(|| format!("cannot empty {}", path.display()))?;
    }
    fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))
}

/// A folder that is removed when dropped.
pub(crate) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of something in it.
    pub(crate) fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left is under the target folder and goes with it.
        drop(fs::remove_dir_all(&self.path));
    }
}
