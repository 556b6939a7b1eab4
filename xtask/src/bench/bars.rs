//! Medians of what was measured, the table of them, and the bars: ratios between ways in one run.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::Scenario;
use crate::say;

/// One scenario on one way, a value for each round.
pub(super) struct Measured {
    scenario: Scenario,
    way: &'static str,
    rps: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
    cpu: Vec<f64>,
    resident: u64,
}

impl Measured {
    pub(super) fn new(scenario: Scenario, way: &'static str) -> Self {
        Self { scenario, way, rps: vec![], p50: vec![], p99: vec![], cpu: vec![], resident: 0 }
    }

    /// Takes a round: the load generator's report, and what the proxy needed for it.
    pub(super) fn add(&mut self, report: &Value, cpu: Duration, resident: u64) -> Result<()> {
        let number =
            |member: &str| report[member].as_f64().with_context(|| format!("no {member} in the report"));
        self.rps.push(number("rps")?);
        self.p50.push(number("p50_us")?);
        self.p99.push(number("p99_us")?);
        self.cpu.push(cpu.as_secs_f64() * 1e6 / number("requests")?);
        self.resident = resident;
        Ok(())
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN);
    match sorted.len() % 2 {
        0 => (upper + sorted.get((sorted.len() / 2).wrapping_sub(1)).copied().unwrap_or(f64::NAN)) / 2.0,
        _ => upper,
    }
}

/// A row for each scenario and way.
pub(super) fn table(measured: &[Measured]) -> String {
    let head = ["call, connections", "way", "requests/s", "p50 µs", "p99 µs", "CPU ms/1000", "memory MB"];
    let row = |one: &Measured| {
        let proxied = one.resident > 0;
        let or_none = |text: String| if proxied { text } else { String::new() };
        vec![
            one.scenario.name.to_owned(),
            one.way.to_owned(),
            format!("{:.0}", median(&one.rps)),
            format!("{:.1}", median(&one.p50)),
            format!("{:.1}", median(&one.p99)),
            or_none(format!("{:.1}", median(&one.cpu))),
            or_none(format!("{:.0}", super::memory::megabytes(one.resident))),
        ]
    };
    say::table(&head, &measured.iter().map(row).collect::<Vec<_>>())
}

/// Whether a ratio has to be at least or at most the bar.
#[derive(Clone, Copy, PartialEq)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// Prints each bar with its ratio; those that are missed.
pub(super) fn check(measured: &[Measured]) -> Result<Vec<String>> {
    let of = |scenario: &str, way: &str| {
        let found = measured.iter().find(|one| one.scenario.name == scenario && one.way == way);
        found.with_context(|| format!("{scenario} was not measured on {way}"))
    };
    let ratio = |scenario: &str, value: fn(&Measured) -> f64| {
        Ok::<f64, anyhow::Error>(value(of(scenario, "gateway")?) / value(of(scenario, "nginx")?))
    };
    let direct = median(&of("echo, 1", "direct")?.p50);
    let added = |way: &str| Ok::<f64, anyhow::Error>(median(&of("echo, 1", way)?.p50) - direct);
    let rps: fn(&Measured) -> f64 = |one| median(&one.rps);
    let bars = [
        ("tools/call at 64 connections, throughput", ratio("echo, 64", rps)?, Bound::AtLeast(0.5)),
        (
            "tools/call at 64 connections, CPU per call",
            ratio("echo, 64", |one| median(&one.cpu))?,
            Bound::AtMost(2.7),
        ),
        ("tools/call at 1 connection, added p50", added("gateway")? / added("nginx")?, Bound::AtMost(4.0)),
        ("tools/list of 100 tools, throughput", ratio("list of 100, 16", rps)?, Bound::AtLeast(1.2)),
        ("results of 100 kB, throughput", ratio("100 kB, 16", rps)?, Bound::AtLeast(0.8)),
    ];
    Ok(judge(bars.map(|(what, ratio, bound)| (what, ratio, " of nginx's", bound))))
}

/// The same for the ledger's strengths, beside the usual gateway.
pub(super) fn check_strengths(measured: &[Measured]) -> Result<Vec<String>> {
    let of = |scenario: &str, way: &str| {
        let found = measured.iter().find(|one| one.scenario.name == scenario && one.way == way);
        found.with_context(|| format!("{scenario} was not measured on {way}"))
    };
    let rps = |way: &str| {
        Ok::<f64, anyhow::Error>(median(&of("echo, 64", way)?.rps) / median(&of("echo, 64", "gateway")?.rps))
    };
    let added = median(&of("echo, 1", "capture")?.p50) - median(&of("echo, 1", "gateway")?.p50);
    Ok(judge([
        ("durability `disk` at 64 connections, throughput", rps("disk")?, " of `os`", Bound::AtLeast(0.5)),
        ("redacted capture at 64 connections, throughput", rps("capture")?, " of none", Bound::AtLeast(0.9)),
        ("redacted capture at 1 connection, added p50", added, " µs", Bound::AtMost(100.0)),
    ]))
}

fn judge(bars: impl IntoIterator<Item = (&'static str, f64, &'static str, Bound)>) -> Vec<String> {
    let mut missed = Vec::new();
    for (what, figure, unit, bound) in bars {
        let (holds, words) = match bound {
            Bound::AtLeast(bar) => (figure >= bar, format!("at least {bar}")),
            Bound::AtMost(bar) => (figure <= bar, format!("at most {bar}")),
        };
        let line = format!("{what}: {figure:.2}{unit}, {words}");
        say::line(format_args!("{}  {line}", if holds { "pass" } else { "FAIL" }));
        if !holds {
            missed.push(line);
        }
    }
    missed
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn measured(name: &'static str, way: &'static str, rps: f64, p50: f64, cpu_ms: u64) -> Measured {
        let mut one = Measured::new(super::super::scenario(name, "echo", 1), way);
        let report = json!({ "requests": 1000, "rps": rps, "p50_us": p50, "p99_us": p50 });
        one.add(&report, Duration::from_millis(cpu_ms), 1000).unwrap();
        one
    }

    fn all(gateway_rps: f64, gateway_p50: f64, gateway_cpu: u64) -> Vec<Measured> {
        let scenarios = ["echo, 1", "echo, 64", "list of 100, 16", "100 kB, 16"];
        let ways = |name| {
            [
                measured(name, "direct", 100.0, 10.0, 0),
                measured(name, "nginx", 50.0, 30.0, 10),
                measured(name, "gateway", gateway_rps, gateway_p50, gateway_cpu),
            ]
        };
        scenarios.into_iter().flat_map(ways).collect()
    }

    #[test]
    fn a_gateway_on_the_bars_passes_and_one_beside_them_is_told_where() {
        assert_eq!(check(&all(60.0, 90.0, 27)).unwrap(), Vec::<String>::new());
        let missed = check(&all(20.0, 90.5, 28)).unwrap();
        assert_eq!(missed.len(), 5, "{missed:?}");
        assert_eq!(missed[0], "tools/call at 64 connections, throughput: 0.40 of nginx's, at least 0.5");
    }

    #[test]
    fn strengths_are_held_against_the_usual_gateway() {
        let ways = |disk, capture, slower| {
            [
                measured("echo, 1", "gateway", 1.0, 50.0, 0),
                measured("echo, 1", "capture", 1.0, 50.0 + slower, 0),
                measured("echo, 64", "gateway", 100.0, 1.0, 0),
                measured("echo, 64", "disk", disk, 1.0, 0),
                measured("echo, 64", "capture", capture, 1.0, 0),
            ]
        };
        assert_eq!(check_strengths(&ways(50.0, 90.0, 100.0)).unwrap(), Vec::<String>::new());
        assert_eq!(check_strengths(&ways(49.0, 89.0, 101.0)).unwrap().len(), 3);
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(&[3.0, 1.0, 9.0]) - 3.0).abs() < f64::EPSILON);
        assert!((median(&[3.0, 1.0]) - 2.0).abs() < f64::EPSILON);
    }

    #[test]
    fn cpu_is_in_milliseconds_for_a_thousand_calls() {
        assert!((measured("x", "y", 1.0, 1.0, 32).cpu[0] - 32.0).abs() < 1e-9);
    }
}
