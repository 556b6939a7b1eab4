//! The file system that a program sees: the system's folders read-only, what was granted, and private memory-backed
//! `/tmp` and [`WORK`]. Nothing else exists for it: not the gateway's data, not a home folder.
//!
//! Called by the init stage, which is alone in a new mount namespace.

use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::unistd::{Gid, Uid, chdir, chown, getuid, pivot_root};

use super::paths;
use super::plan::Plan;

/// The private empty working directory.
pub(super) const WORK: &str = "/work";

const NONE: Option<&str> = None;

/// Builds it below the plan's scratch folder and makes it the root.
pub(super) fn enter(plan: &Plan) -> io::Result<()> {
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
    let root = plan.scratch.as_path();
    tmpfs(root, "size=16m,mode=0755")?;
    system(root)?;
    devices(root)?;
    private(root, plan)?;
    grants(root, plan)?;
    chdir(root)?;
    // The old root ends on top of the new one and is then let go: pivot_root(2), "pivot_root(".", ".")".
    pivot_root(".", ".")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    let sealed =
        MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(NONE, "/", NONE, sealed, NONE)?;
    Ok(chdir("/")?)
}

fn tmpfs(at: &Path, options: &str) -> io::Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    Ok(mount(Some("tmpfs"), at, Some("tmpfs"), flags, Some(options))?)
}

/// Where an absolute path stands in the new root.
fn inside(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

fn system(root: &Path) -> io::Result<()> {
    for path in paths::SYSTEM.map(Path::new) {
        if let Ok(target) = path.read_link() {
            symlink(target, inside(root, path))?;
        } else if path.is_dir() {
            bind(root, path, false)?;
        }
    }
    // `/etc/resolv.conf` often points here.
    let resolver = Path::new("/run/systemd/resolve");
    if resolver.is_dir() { bind(root, resolver, false) } else { Ok(()) }
}

fn devices(root: &Path) -> io::Result<()> {
    for name in ["null", "zero", "full", "random", "urandom"] {
        let device = Path::new("/dev").join(name);
        place(root, &device)?;
        let at = inside(root, &device);
        mount(Some(&device), &at, NONE, MsFlags::MS_BIND, NONE)?;
    }
    for (name, target) in [("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")] {
        symlink(format!("/proc/self/fd{target}"), root.join("dev").join(name))?;
    }
    let processes = root.join("proc");
    std::fs::create_dir(&processes)?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    Ok(mount(Some("proc"), &processes, Some("proc"), flags, NONE)?)
}

/// `/tmp` for all, the working directory for the program's own uid.
fn private(root: &Path, plan: &Plan) -> io::Result<()> {
    for (path, options) in
        [("tmp", "size=256m,mode=1777"), ("work", "size=64m,mode=0700"), ("dev/shm", "size=64m,mode=1777")]
    {
        let at = root.join(path);
        std::fs::create_dir(&at)?;
        tmpfs(&at, options)?;
    }
    if getuid().is_root() && plan.report.own_uid.is_some() {
        chown(&root.join("work"), Some(Uid::from_raw(plan.uid)), Some(Gid::from_raw(plan.uid)))?;
    }
    Ok(())
}

fn grants(root: &Path, plan: &Plan) -> io::Result<()> {
    let own = paths::of_program(&plan.command);
    let read = plan.read.iter().chain(&own).map(|path| (path.as_path(), false));
    let mut all: Vec<_> = read.chain(plan.write.iter().map(|path| (path.as_path(), true))).collect();
    // Outer folders first, so that a grant inside of another one is not covered by it.
    all.sort_by_key(|(path, write)| (path.components().count(), *write));
    for (path, write) in all {
        if write || !paths::is_system(path) {
            bind(root, path, write).map_err(|why| named(path, &why))?;
        }
    }
    Ok(())
}

fn named(path: &Path, why: &io::Error) -> io::Error {
    io::Error::other(format!("{} cannot be granted: {why}", path.display()))
}

/// Makes a path of the old root visible in the new one.
fn bind(root: &Path, path: &Path, write: bool) -> io::Result<()> {
    place(root, path)?;
    let at = inside(root, path);
    mount(Some(path), &at, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE)?;
    let mut flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    flags.set(MsFlags::MS_RDONLY, !write);
    Ok(mount(NONE, &at, NONE, flags, NONE)?)
}

/// Makes what a bind needs to stand on: a folder or an empty file, with the folders above it.
fn place(root: &Path, path: &Path) -> io::Result<()> {
    let at = inside(root, path);
    if at.exists() {
        return Ok(());
    }
    if path.is_dir() {
        return std::fs::create_dir_all(&at);
    }
    if let Some(parent) = at.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::File::create(&at).map(drop)
}
