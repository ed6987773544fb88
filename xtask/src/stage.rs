//! Stages of a long command: each is named and timed, and the table is printed however the command ends.
//!
//! Also counts tests: cargo says how many passed once per test binary, and nobody adds these lines up.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process::describe;

#[derive(Default)]
pub struct Stages {
    rows: Vec<(&'static str, Duration, bool)>,
    tests: TestCount,
}

impl Stages {
    /// Runs one stage. An error names the stage; the caller stops there.
    pub fn run<T>(&mut self, name: &'static str, work: impl FnOnce(&mut TestCount) -> Result<T>) -> Result<T> {
        println!("\n== {name}");
        let started = Instant::now();
        let outcome = work(&mut self.tests);
        self.rows.push((name, started.elapsed(), outcome.is_ok()));
        outcome.with_context(|| format!("stage `{name}` failed"))
    }

    /// The table of times, what failed, and last the number of tests alone on a line.
    pub fn print(&self, outcome: &Result<()>) {
        println!("\n{:<24}{:>10}", "stage", "seconds");
        for (name, took, passed) in &self.rows {
            println!("{name:<24}{:>10.1}{}", took.as_secs_f64(), if *passed { "" } else { "  FAILED" });
        }
        let total: Duration = self.rows.iter().map(|(_, took, _)| *took).sum();
        println!("{:<24}{:>10.1}\n", "total", total.as_secs_f64());
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
    /// Runs a `cargo test`, passes its output through, and adds its results to the count.
    pub fn run(&mut self, command: &mut Command) -> Result<()> {
        let mut child =
            command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start `{}`", describe(command)))?;
        let stdout = child.stdout.take().context("no pipe from the tests")?;
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line.context("cannot read what the tests print")?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            self.add(&line);
        }
        let status = child.wait().with_context(|| format!("lost sight of `{}`", describe(command)))?;
        if !status.success() {
            bail!("`{}` ended with {status}", describe(command));
        }
        Ok(())
    }

    /// Like [`Self::run`]; that no test passed is a failure: a filter or feature has lost its meaning.
    pub fn run_some(&mut self, command: &mut Command) -> Result<()> {
        let before = self.passed;
        self.run(command)?;
        if self.passed == before {
            bail!("`{}` ran no test", describe(command));
        }
        Ok(())
    }

    /// Reads `test result: ok. 3 passed; 0 failed; …`; any other line changes nothing.
    fn add(&mut self, line: &str) {
        let Some((_, result)) = line.split_once("test result: ") else { return };
        for part in result.split([';', '.']) {
            let Some((number, word)) = part.trim().split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_all_test_binaries_add_up() {
        let mut count = TestCount::default();
        count.add("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s");
        count.add("test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 7 filtered out; finished in 1.20s");
        count.add("test a_name ... ok");
        count.add("5 passed; 5 failed");
        assert_eq!(count, TestCount { passed: 7, failed: 2 });
    }

    #[test]
    fn a_failing_command_is_an_error_and_its_results_still_count() {
        let mut count = TestCount::default();
        let script = "echo 'test result: FAILED. 1 passed; 1 failed; 0 ignored'; exit 101";
        let error = count.run(Command::new("sh").args(["-c", script])).unwrap_err();
        assert!(error.to_string().contains("101"), "{error}");
        assert_eq!(count, TestCount { passed: 1, failed: 1 });
    }

    #[test]
    fn a_command_that_ran_no_test_is_an_error_where_there_must_be_one() {
        let mut count = TestCount::default();
        let none = count.run_some(Command::new("sh").args(["-c", "echo 'test result: ok. 0 passed; 0 failed'"]));
        assert!(none.unwrap_err().to_string().contains("ran no test"));
        count.run_some(Command::new("sh").args(["-c", "echo 'test result: ok. 1 passed; 0 failed'"])).unwrap();
    }

    #[test]
    fn a_failed_stage_is_named() {
        let mut stages = Stages::default();
        let error = stages.run("weather", |_| -> Result<()> { bail!("it rains") }).unwrap_err();
        assert_eq!(format!("{error:#}"), "stage `weather` failed: it rains");
        assert_eq!(stages.rows.len(), 1);
    }
}
