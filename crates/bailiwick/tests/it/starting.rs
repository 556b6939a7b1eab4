//! The first start: whoever finds the gateway ready finds the way in too.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::Program;

#[test]
fn when_the_program_is_ready_the_one_time_link_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let program = Program::start(dir.path());
    let file = dir.path().join("data/admin-link");
    let link = std::fs::read_to_string(&file).unwrap();
    assert!(link.starts_with(&program.url) && link.ends_with('\n'), "the whole link");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    program.terminate();
}

#[test]
fn a_link_that_cannot_be_left_keeps_the_program_from_being_ready() {
    let dir = tempfile::tempdir().unwrap();
    // A directory stands where the file would be.
    std::fs::create_dir_all(dir.path().join("data/admin-link")).unwrap();
    let ended = Program::command(dir.path()).output().unwrap();
    let log = String::from_utf8(ended.stderr).unwrap();
    assert!(!ended.status.success(), "{log}");
    assert!(log.contains("cannot write the one-time link"), "{log}");
    assert!(!log.contains(" ready"), "{log}");
}
