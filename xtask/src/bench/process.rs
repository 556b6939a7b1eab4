//! CPU time and memory of processes, from `/proc`.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// The unit of CPU time in `/proc`, USER_HZ: 100 on every common Linux.
const TICK: Duration = Duration::from_millis(10);

/// Processes that are measured together.
pub(super) struct Processes(Vec<u32>);

impl Processes {
    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    pub(super) fn one(pid: u32) -> Self {
        Self(vec![pid])
    }

    pub(super) fn with_children(pid: u32) -> Result<Self> {
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
        let children = children.split_whitespace().map(str::parse).collect::<Result<Vec<_>, _>>()?;
        Ok(Self([vec![pid], children].concat()))
    }

    /// The CPU time that they have used so far.
    pub(super) fn cpu(&self) -> Result<Duration> {
        let each = self.0.iter().map(|pid| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
            ticks(&stat).with_context(|| format!("/proc/{pid}/stat"))
        });
        let ticks: u32 = each.sum::<Result<u32>>()?;
        Ok(TICK * ticks)
    }

    /// Their resident memory in bytes.
    pub(super) fn resident(&self) -> Result<u64> {
        let each = self.0.iter().map(|pid| {
            let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            let kb = line.and_then(|line| line.trim().strip_suffix(" kB"));
            Ok(kb.context("no VmRSS")?.trim().parse::<u64>()? * 1024)
        });
        each.sum()
    }
}

/// utime and stime, the 14th and 15th fields; the second is the name in brackets, which may hold blanks (proc(5)).
fn ticks(stat: &str) -> Result<u32> {
    let rest = stat.rsplit_once(')').context("no name")?.1;
    let mut fields = rest.split_whitespace().skip(11);
    let mut next = || Ok::<u32, anyhow::Error>(fields.next().context("too short")?.parse()?);
    Ok(next()? + next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_behind_a_name_with_blanks_and_brackets() {
        let stat = "42 (a ) b) S 1 2 3 4 5 6 7 8 9 10 120 30 0 0 20";
        assert_eq!(ticks(stat).unwrap(), 150);
        assert!(ticks("42 (short) S 1").is_err());
    }

    #[test]
    fn this_process_has_memory() {
        let this = Processes::one(std::process::id());
        assert!(this.resident().unwrap() > 100);
        this.cpu().unwrap();
    }
}
