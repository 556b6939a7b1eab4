//! Limits on memory, processes, CPU time and open files.

use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::plan::Plan;

/// CPU time of one process, in seconds: whoever burns an hour of it is stuck.
const CPU_SECONDS: u64 = 3_600;
const OPEN_FILES: u64 = 1_024;
/// The largest file that it may write, in bytes.
const FILE_BYTES: u64 = 1 << 30;
/// Behind everything else when the CPU is scarce, above all behind the gateway.
const NICENESS: i32 = 5;

/// Sets them.
///
/// Memory is limited by `RLIMIT_DATA`, not by the address space: Node reserves terabytes of the latter and uses none.
pub(super) fn set(plan: &Plan) -> io::Result<()> {
    cap(Resource::RLIMIT_CORE, 0)?;
    cap(Resource::RLIMIT_CPU, CPU_SECONDS)?;
    cap(Resource::RLIMIT_NOFILE, OPEN_FILES)?;
    cap(Resource::RLIMIT_FSIZE, FILE_BYTES)?;
    if let Some(bytes) = plan.memory_bytes {
        cap(Resource::RLIMIT_DATA, bytes)?;
    }
    // Counted per uid: without a uid of its own the limit would count the gateway's processes too.
    if let Some(count) = plan.processes.filter(|_| plan.report.own_uid.is_some()) {
        cap(Resource::RLIMIT_NPROC, count)?;
    }
    rustix::process::setpriority_process(None, NICENESS).map_err(io::Error::from)
}

/// Lowers a limit; one that is lower already stays.
fn cap(resource: Resource, most: u64) -> io::Result<()> {
    let (_, hard) = getrlimit(resource)?;
    let most = most.min(hard);
    Ok(setrlimit(resource, most, most)?)
}
