//! Stages of a long command: each is named and timed, and the table of times is printed however the
//! command ends.
//!
//! Also adds up the test results of all stages.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process::describe;
use crate::watchdog;

#[derive(Default)]
pub struct Stages {
    rows: Vec<(&'static str, Duration, bool)>,
    tests: TestCount,
    not_checked: Vec<String>,
}

impl Stages {
    /// Records what could not be checked, so that the end of the run says so.
    pub fn not_checked(&mut self, what: String) {
        println!("not checked: {what}");
        self.not_checked.push(what);
    }

    /// Runs one stage. An error names the stage; the caller stops there.
    pub fn run<T>(&mut self, name: &'static str, work: impl FnOnce(&mut TestCount) -> Result<T>) -> Result<T> {
        println!("\n== {name}");
        let started = Instant::now();
        let outcome = work(&mut self.tests);
        self.rows.push((name, started.elapsed(), outcome.is_ok()));
        outcome.with_context(|| match watchdog::has_expired() {
            true => format!("the run took too long and was stopped in stage `{name}`"),
            false => format!("stage `{name}` failed"),
        })
    }

    /// The table of times, the failure, and last the number of tests alone on a line.
    pub fn print(&self, outcome: &Result<()>) {
        println!("\n{:<24}{:>10}", "stage", "seconds");
        for (name, took, passed) in &self.rows {
            println!("{name:<24}{:>10.1}{}", took.as_secs_f64(), if *passed { "" } else { "  FAILED" });
        }
        let total: Duration = self.rows.iter().map(|(_, took, _)| *took).sum();
        println!("{:<24}{:>10.1}\n", "total", total.as_secs_f64());
        for what in &self.not_checked {
            println!("not checked: {what}\n");
        }
        if let Err(error) = outcome {
            println!("{error:#}\n");
        }
        println!("{} passed, {} failed", self.tests.passed, self.tests.failed);
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct TestCount {
    passed: u64,
    failed: u64,
}

impl TestCount {
    /// Runs nextest, passes on its report, which goes to standard error, and adds its summary to
    /// the count.
    pub fn run(&mut self, command: &mut Command) -> Result<()> {
        let mut child =
            command.stderr(Stdio::piped()).spawn().with_context(|| format!("cannot start `{}`", describe(command)))?;
        let report = child.stderr.take().context("no pipe from the tests")?;
        for line in BufReader::new(report).split(b'\n') {
            let line = line.context("cannot read the report of the tests")?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            self.add(&line);
        }
        let status = child.wait().with_context(|| format!("cannot wait for `{}`", describe(command)))?;
        if !status.success() {
            bail!("`{}` ended with {status}", describe(command));
        }
        Ok(())
    }

    /// Runs a command of Node's test runner, which reports on standard output, and adds its summary.
    /// A run in which no test passed is a failure.
    pub fn run_node(&mut self, command: &mut Command) -> Result<()> {
        let mut child =
            command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start `{}`", describe(command)))?;
        let report = child.stdout.take().context("no pipe from the tests")?;
        let before = self.passed;
        for line in BufReader::new(report).lines() {
            let line = line.context("cannot read the report of the tests")?;
            println!("{line}");
            self.add_of_node(&line);
        }
        let status = child.wait().with_context(|| format!("cannot wait for `{}`", describe(command)))?;
        if !status.success() {
            bail!("`{}` ended with {status}", describe(command));
        }
        if self.passed == before {
            bail!("`{}` ran no test", describe(command));
        }
        Ok(())
    }

    /// Reads `ℹ pass 23`, `ℹ fail 1` and `ℹ cancelled 1`. Any other line changes nothing.
    fn add_of_node(&mut self, line: &str) {
        let Some((word, number)) = line.strip_prefix("ℹ ").and_then(|rest| rest.split_once(' ')) else { return };
        let Ok(number) = number.trim().parse::<u64>() else { return };
        match word {
            "pass" => self.passed += number,
            "fail" | "cancelled" => self.failed += number,
            _ => {}
        }
    }

    /// Reads `Summary [ 0.5s] 9 tests run: 7 passed (1 slow), 1 failed, 1 timed out, 3 skipped`.
    /// Any other line changes nothing.
    fn add(&mut self, line: &str) {
        let Some((_, results)) = line.split_once("Summary [").and_then(|(_, rest)| rest.split_once(" run: ")) else {
            return;
        };
        // Remarks in parentheses hold commas of their own.
        let results: Vec<&str> = results.split('(').map(|part| part.split_once(')').map_or(part, |it| it.1)).collect();
        for result in results.concat().split(',') {
            let Some((number, word)) = result.trim().split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match word.trim() {
                "passed" => self.passed += number,
                "skipped" => {}
                _ => self.failed += number,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_of_all_runs_add_up() {
        let mut count = TestCount::default();
        count.add("     Summary [   1.239s] 12 tests run: 12 passed, 3 skipped");
        count.add(
            "     Summary [  61.010s] 9/20 tests run: 5 passed (1 slow, 1 leaky), 2 failed, 1 timed out, 1 exec failed",
        );
        count.add("     Summary [   0.001s] 1 test run: 1 passed (1 flaky), 0 skipped");
        count.add("        PASS [   0.004s] chasqui-domain::it a_name");
        assert_eq!(count, TestCount { passed: 18, failed: 4 });
    }

    #[test]
    fn results_of_a_failing_command_still_count() {
        let mut count = TestCount::default();
        let script = "echo 'Summary [ 1s] 2 tests run: 1 passed, 1 failed, 0 skipped' >&2; exit 100";
        let error = count.run(Command::new("sh").args(["-c", script])).unwrap_err();
        assert!(error.to_string().contains("100"), "{error}");
        assert_eq!(count, TestCount { passed: 1, failed: 1 });
    }

    #[test]
    fn summaries_of_node_are_counted() {
        let mut count = TestCount::default();
        let script = "printf '✔ pass 9 (1ms)\nℹ tests 6\nℹ pass 3\nℹ fail 1\nℹ cancelled 2\nℹ duration_ms 5.1\n'";
        count.run_node(Command::new("sh").args(["-c", script])).unwrap();
        assert_eq!(count, TestCount { passed: 3, failed: 3 });
        let error = count.run_node(Command::new("sh").args(["-c", "echo 'ℹ pass 0'"])).unwrap_err();
        assert!(error.to_string().contains("ran no test"), "{error}");
    }

    #[test]
    fn failed_stage_is_named() {
        let mut stages = Stages::default();
        let error = stages.run("weather", |_| -> Result<()> { bail!("it rains") }).unwrap_err();
        assert_eq!(format!("{error:#}"), "stage `weather` failed: it rains");
        assert_eq!(stages.rows.len(), 1);
    }
}
