//! The two stages that stay: the watcher, which lives as long as the gateway and the program, and the program's init.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, dup2_stdin, dup2_stdout, getgid, getuid, setsid};

use super::plan::{Mode, Plan, Stage, arguments};
use super::{NO_NAMESPACES, paths, report, root};

/// How often orphans are looked for where no PID namespace reaps them, in milliseconds.
const REAP_EVERY: u16 = 1_000;

/// The first stage: away from the gateway's session, into namespaces, and then watching.
pub(super) fn watch(mut plan: Plan) -> io::Result<i32> {
    close_inherited()?;
    // Ending this process by a polite signal would leave its children behind: only the gateway's end counts.
    SigSet::all().thread_block()?;
    // Fails only if it leads a session already, which is what is wanted.
    let _already_leader = setsid();
    prctl::set_child_subreaper(true)?;
    if plan.mode != Mode::Off {
        plan.report.own_uid = may_take(plan.uid).then_some(plan.uid);
        isolate(&mut plan);
        if !plan.report.file_system {
            share_scratch(&mut plan);
        }
    }
    let child = next_stage(Stage::Init, &plan)?;
    let code = attend(&child);
    kill_descendants();
    Ok(code)
}

/// Closes whatever the gateway was started with beyond the standard streams. Its own files close by themselves.
fn close_inherited() -> io::Result<()> {
    let entries = std::fs::read_dir("/proc/self/fd")?;
    let numbers: Vec<i32> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    for number in numbers.into_iter().filter(|number| *number > 2) {
        // The folder's own descriptor was among them and is closed already.
        let _closed = nix::unistd::close(number);
    }
    Ok(())
}

/// The second stage: builds what the program sees, and reaps.
pub(super) fn init(mut plan: Plan) -> io::Result<i32> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    if !plan.report.pid_namespace {
        prctl::set_child_subreaper(true)?;
    }
    if plan.report.file_system {
        root::enter(&plan).inspect_err(|why| no_file_system(&plan, why))?;
        plan.cwd.get_or_insert_with(|| root::WORK.into());
    }
    let child = next_stage(Stage::Run, &plan)?;
    let code = attend(&child);
    kill_descendants();
    Ok(code)
}

/// In the gateway's own view of the files, the program's uid must reach what is granted, and own its scratch folder.
fn share_scratch(plan: &mut Plan) {
    let Some(uid) = plan.report.own_uid else { return };
    let mut needed = plan.read.iter().chain(&plan.write).chain([&plan.command]);
    let reached = needed.all(|path| paths::is_open_to_all(path));
    if !reached || std::os::unix::fs::chown(&plan.scratch, Some(uid), Some(uid)).is_err() {
        plan.report.own_uid = None;
    }
}

/// Says that the next attempt should be made without namespaces, unless a grant is at fault or all parts are required.
fn no_file_system(plan: &Plan, why: &io::Error) {
    if plan.mode == Mode::Auto && why.raw_os_error().is_some() {
        report::say(NO_NAMESPACES, &why.to_string());
    }
}

/// Makes the namespaces that this machine allows, all or none.
fn isolate(plan: &mut Plan) {
    if !plan.namespaces {
        plan.report.lacks(
            "namespaces for processes, files and network",
            &"no file system can be built in them here",
        );
        return;
    }
    let mut flags = CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS;
    if !plan.network {
        flags |= CloneFlags::CLONE_NEWNET;
    }
    let made = match unshare(flags) {
        Err(Errno::EPERM) if !getuid().is_root() => unshare_as_user(flags),
        made => made.map_err(io::Error::from),
    };
    match made {
        Ok(()) => {
            plan.report.pid_namespace = true;
            plan.report.file_system = true;
            plan.report.no_network = !plan.network;
        }
        Err(why) => plan.report.lacks("namespaces for processes, files and network", &why),
    }
}

/// The same without root: in a user namespace in which this user is root.
fn unshare_as_user(flags: CloneFlags) -> io::Result<()> {
    let (uid, gid) = (getuid(), getgid());
    unshare(flags | CloneFlags::CLONE_NEWUSER)?;
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("0 {uid} 1"))?;
    std::fs::write("/proc/self/gid_map", format!("0 {gid} 1"))
}

/// Whether this process may become that uid.
fn may_take(uid: u32) -> bool {
    use rustix::thread::{CapabilitySet, capabilities};
    let needed = CapabilitySet::CHOWN | CapabilitySet::SETUID | CapabilitySet::SETGID;
    getuid().is_root() && is_mapped(uid) && capabilities(None).is_ok_and(|own| own.effective.contains(needed))
}

/// Whether a uid exists in this process's user namespace: in a container often only a few do.
fn is_mapped(uid: u32) -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.lines().any(|line| {
        let mut numbers = line.split_whitespace().filter_map(|number| number.parse::<u32>().ok());
        let (first, count) = (numbers.next(), numbers.nth(1));
        matches!((first, count), (Some(first), Some(count)) if uid >= first && uid - first < count)
    })
}

#[expect(clippy::disallowed_methods, reason = "the helper of the supervisor itself")]
fn next_stage(stage: Stage, plan: &Plan) -> io::Result<Child> {
    let child = Command::new("/proc/self/exe").args(arguments(stage, plan)?).spawn()?;
    // Only the program reads and writes: when it lets go of these, nobody else may hold them.
    let null = std::fs::File::options().read(true).write(true).open("/dev/null")?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    Ok(child)
}

/// Waits until the child ends or the gateway is gone; answers the code to end with.
fn attend(child: &Child) -> i32 {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX));
    let alive = rustix::process::Pid::from_raw(pid.as_raw())
        .and_then(|pid| rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok());
    loop {
        match reap(pid) {
            Some(code) => return code,
            None if wait(alive.as_ref()) => {
                // The gateway is gone. What still runs is killed by the caller, or with the namespace.
                kill(pid, Signal::SIGKILL).unwrap_or_default();
                return 137;
            }
            None => {}
        }
    }
}

/// Waits a moment; true if the gateway's end of standard error is closed.
fn wait(alive: Option<&OwnedFd>) -> bool {
    let stderr = io::stderr();
    let mut fds = vec![PollFd::new(stderr.as_fd(), PollFlags::empty())];
    fds.extend(alive.map(|fd| PollFd::new(fd.as_fd(), PollFlags::POLLIN)));
    // An interruption is only one more round.
    let _rounds = poll(&mut fds, PollTimeout::from(REAP_EVERY));
    fds.first()
        .and_then(PollFd::revents)
        .is_some_and(|seen| seen.intersects(PollFlags::POLLERR | PollFlags::POLLHUP))
}

/// Collects every child that ended; the code of this one if it did.
fn reap(wanted: Pid) -> Option<i32> {
    let mut code = None;
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, status)) if pid == wanted => code = Some(status),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == wanted => code = Some(128 + signal as i32),
            Ok(WaitStatus::StillAlive) => return code,
            Ok(_) | Err(Errno::EINTR) => {}
            // No child left at all.
            Err(_) => return code.or(Some(0)),
        }
    }
}

/// Kills whatever is left below this process. In a PID namespace the kernel does it; elsewhere orphans came to this
/// process, since it is their subreaper.
fn kill_descendants() {
    for _ in 0..1_000 {
        let children = children_of(std::process::id());
        if children.is_empty() {
            return;
        }
        for pid in children {
            kill(pid, Signal::SIGKILL).unwrap_or_default();
        }
        let _one = waitpid(None, None);
    }
}

/// The children of a process, found in `/proc`.
fn children_of(parent: u32) -> Vec<Pid> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| parent_of(*pid) == Some(parent)).map(Pid::from_raw).collect()
}

fn parent_of(pid: i32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything, so the fields are counted from its end: state, then parent.
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}
