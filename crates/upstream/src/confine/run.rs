//! The last stage: takes identity, limits and restrictions upon itself, reports, and becomes the program.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{Gid, Uid, getuid, setgroups, setresgid, setresuid};

use super::plan::{Mode, Plan};
use super::{REPORT, filter, limit, report};

/// Returns only if the program cannot be started.
pub(super) fn run(plan: &Plan) -> io::Result<i32> {
    let mut plan = plan.clone();
    let cwd = plan.cwd.clone().unwrap_or_else(|| plan.scratch.clone());
    std::env::set_current_dir(&cwd)
        .map_err(|why| io::Error::other(format!("the working directory cannot be entered: {why}")))?;
    if plan.mode == Mode::Off {
        plan.report.lacks("confinement", &"switched off");
    } else {
        restrict(&mut plan, &cwd)?;
    }
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    if plan.mode == Mode::Require && !plan.report.missing.is_empty() {
        return Err(io::Error::other(format!(
            "confinement is required, but: {}",
            plan.report.missing.join("; ")
        )));
    }
    report::say(REPORT, &serde_json::to_string(&plan.report)?);
    SigSet::all().thread_unblock()?;
    Err(become_program(&plan.command, &plan.args))
}

#[expect(clippy::disallowed_methods, reason = "the supervised program itself")]
fn become_program(command: &Path, args: &[String]) -> io::Error {
    let why = Command::new(command).args(args).exec();
    io::Error::other(format!("the program cannot be run: {why}"))
}

fn restrict(plan: &mut Plan, cwd: &Path) -> io::Result<()> {
    match limit::set(plan) {
        Ok(()) => plan.report.limits = true,
        Err(why) => plan.report.lacks("limits", &why),
    }
    identity(plan)?;
    prctl::set_no_new_privs()?;
    plan.report.no_new_privs = true;
    match filter::landlock(plan, cwd) {
        Ok(Some(version)) => plan.report.landlock = Some(version),
        Ok(None) => plan.report.lacks("landlock", &"this kernel has none"),
        Err(why) => plan.report.lacks("landlock", &why),
    }
    match filter::seccomp() {
        Ok(()) => plan.report.seccomp = true,
        Err(why) => plan.report.lacks("seccomp", &why),
    }
    Ok(())
}

/// Gives up root: for a uid of its own, or, as root of a user namespace only, for no capabilities.
fn identity(plan: &mut Plan) -> io::Result<()> {
    if plan.report.own_uid.is_some() {
        let (uid, gid) = (Uid::from_raw(plan.uid), Gid::from_raw(plan.uid));
        setgroups(&[])?;
        setresgid(gid, gid, gid)?;
        return Ok(setresuid(uid, uid, uid)?);
    }
    plan.report
        .lacks("a uid of its own", &"the gateway is not root, or another uid cannot reach what is granted");
    if getuid().is_root() { without_capabilities() } else { Ok(()) }
}

/// Root without capabilities, now and after `exec`, is nobody special.
fn without_capabilities() -> io::Result<()> {
    use rustix::thread::{
        CapabilitySet, CapabilitySets, remove_capability_from_bounding_set, set_capabilities,
    };
    for capability in CapabilitySet::all().iter() {
        // A capability that this kernel does not know is none to fear.
        let _unknown = remove_capability_from_bounding_set(capability);
    }
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    Ok(set_capabilities(None, none)?)
}
