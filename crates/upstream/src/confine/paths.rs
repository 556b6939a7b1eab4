//! Which folders every program sees, and which belong to the program itself.

use std::path::{Path, PathBuf};

/// The system's folders: programs, libraries and configuration, readable by anyone.
pub(super) const SYSTEM: [&str; 8] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc"];

/// Whether a path lies in the system's folders.
pub(super) fn is_system(path: &Path) -> bool {
    SYSTEM.iter().any(|folder| path.starts_with(folder))
}

/// What belongs to a program outside of the system's folders: itself, and for a program in a `bin` folder with a `lib`
/// beside it (Node or Python by a version manager, a virtual environment) those, but never a home folder as a whole.
pub(super) fn of_program(command: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let real = command.canonicalize().ok();
    for path in [Some(command), real.as_deref()].into_iter().flatten().filter(|path| !is_system(path)) {
        found.push(path.to_owned());
        let Some(bin) = path.parent().filter(|parent| parent.ends_with("bin")) else { continue };
        let prefix = bin.parent().unwrap_or(bin);
        if prefix.join("lib").is_dir() {
            let own = ["bin", "lib", "lib64", "pyvenv.cfg"].map(|name| prefix.join(name));
            found.extend(own.into_iter().filter(|path| path.exists()));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Whether every folder above a path lets everybody through.
pub(super) fn is_open_to_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let mut above = path.ancestors().skip(1);
    above.all(|folder| std::fs::metadata(folder).is_ok_and(|folder| folder.permissions().mode() & 0o001 != 0))
}
