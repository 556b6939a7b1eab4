//! What the kernel is told to refuse: Landlock for files, TCP and signals, seccomp for system calls.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope,
    path_beneath_rules,
};
use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};

use super::paths;
use super::plan::Plan;

/// What this crate asks for; older kernels do what they can.
const WANTED: ABI = ABI::V6;

/// Restricts files to what the plan grants, TCP to nothing unless the network is granted, and signals and abstract
/// sockets to the program's own processes. Answers the version that the kernel has; none if it has no Landlock.
pub(super) fn landlock(plan: &Plan, cwd: &Path) -> io::Result<Option<u32>> {
    let wrong = |why: landlock::RulesetError| io::Error::other(why.to_string());
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(WANTED))
        .map_err(wrong)?
        .scope(Scope::from_all(WANTED))
        .map_err(wrong)?;
    if !plan.network {
        ruleset = ruleset.handle_access(AccessNet::from_all(WANTED)).map_err(wrong)?;
    }
    let status = ruleset
        .create()
        .map_err(wrong)?
        .add_rules(path_beneath_rules(readable(plan), AccessFs::from_read(WANTED)))
        .map_err(wrong)?
        .add_rules(path_beneath_rules(writable(plan, cwd), AccessFs::from_all(WANTED)))
        .map_err(wrong)?
        .restrict_self()
        .map_err(wrong)?;
    let holds = status.ruleset != RulesetStatus::NotEnforced;
    Ok(holds.then(|| version(status.landlock)))
}

fn version(status: landlock::LandlockStatus) -> u32 {
    match status {
        landlock::LandlockStatus::Available { effective_abi, .. } => effective_abi as u32,
        _ => 0,
    }
}

fn readable(plan: &Plan) -> Vec<PathBuf> {
    let fixed = ["/proc", "/dev", "/run/systemd/resolve", "/sys/devices/system/cpu"];
    let mut all: Vec<PathBuf> = paths::SYSTEM.iter().chain(&fixed).map(PathBuf::from).collect();
    all.extend(paths::of_program(&plan.command));
    all.extend(plan.read.iter().cloned());
    all
}

fn writable(plan: &Plan, cwd: &Path) -> Vec<PathBuf> {
    let mut all = plan.write.clone();
    all.extend(["/dev/null", "/dev/zero", "/dev/full"].map(PathBuf::from));
    if plan.report.file_system {
        all.extend(["/tmp", "/dev/shm", super::root::WORK].map(PathBuf::from));
    } else if cwd.starts_with(&plan.scratch) {
        all.push(cwd.to_owned());
    }
    all
}

/// Refuses system calls with which a program could leave its bounds or burden the kernel. An allow-list would break
/// programs that nobody here knows.
pub(super) fn seccomp() -> io::Result<()> {
    let wrong = |why: &dyn std::fmt::Display| io::Error::other(why.to_string());
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(|why| wrong(&why))?;
    let denied: BTreeMap<i64, Vec<SeccompRule>> = refused().map_err(|why| wrong(&why))?;
    // `clone3` hides its flags behind a pointer: told that it does not exist, the C library takes `clone`.
    let hidden = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    for (calls, errno) in [(denied, libc::EPERM), (hidden, libc::ENOSYS)] {
        let action = SeccompAction::Errno(errno.unsigned_abs());
        let filter =
            SeccompFilter::new(calls, SeccompAction::Allow, action, arch).map_err(|why| wrong(&why))?;
        let program = BpfProgram::try_from(filter).map_err(|why| wrong(&why))?;
        seccompiler::apply_filter(&program).map_err(|why| wrong(&why))?;
    }
    Ok(())
}

/// System calls that are refused whatever their arguments.
const ALWAYS: [i64; 50] = [
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_mbind,
    libc::SYS_migrate_pages,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_move_pages,
    libc::SYS_name_to_handle_at,
    libc::SYS_nfsservctl,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
];

fn refused() -> Result<BTreeMap<i64, Vec<SeccompRule>>, seccompiler::BackendError> {
    let mut calls: BTreeMap<i64, Vec<SeccompRule>> = ALWAYS.iter().map(|call| (*call, Vec::new())).collect();
    // Sockets to the hypervisor's host and raw packets: neither is bound by a network namespace or worth having.
    let families = [libc::AF_VSOCK, libc::AF_PACKET, libc::AF_ALG];
    calls.insert(
        libc::SYS_socket,
        families
            .map(|family| rule(0, family.unsigned_abs().into(), None))
            .into_iter()
            .collect::<Result<_, _>>()?,
    );
    // New namespaces, in which a program would have capabilities again.
    let spaces = [libc::CLONE_NEWUSER, libc::CLONE_NEWNS, libc::CLONE_NEWNET, libc::CLONE_NEWPID];
    let masks = spaces.map(|flag| u64::from(flag.unsigned_abs()));
    calls.insert(
        libc::SYS_clone,
        masks.map(|flag| rule(0, flag, Some(flag))).into_iter().collect::<Result<_, _>>()?,
    );
    Ok(calls)
}

/// Matches an argument, under a mask if there is one.
fn rule(argument: u8, value: u64, mask: Option<u64>) -> Result<SeccompRule, seccompiler::BackendError> {
    let operator = mask.map_or(SeccompCmpOp::Eq, SeccompCmpOp::MaskedEq);
    SeccompRule::new(vec![SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)?])
}
