//! `cargo xtask simulate`: many runs of the deterministic simulator, one run repeated, or the proof
//! that it detects faults.
//!
//! For the proof, each patch in `crates/testkit/planted` plants one classic fault in a copy of the
//! sources. The simulator must detect it within the messages and seconds of one submission.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::planted;
use crate::process::{cargo, root, succeed, target_dir};
use crate::usage::USAGE;

/// Messages and seconds of one submission; the first limit ends it.
const SLICE: [u64; 2] = [10_000, 60];
/// Before a release.
const LONG: [u64; 2] = [200_000, 600];
const BUILD: [&str; 7] = ["build", "--locked", "-p", "chasqui-testkit", "--features", "simulator", "--bin=simulate"];

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    planted: bool,
    /// Arguments of the program itself.
    passed_on: Vec<String>,
}

impl Options {
    fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self::default();
        let mut words = args.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--planted" => options.planted = true,
                "--seed" | "--messages" | "--seconds" | "--threads" => {
                    let value = words.next().with_context(|| format!("`{word}` needs a value\n\n{USAGE}"))?;
                    value.parse::<u64>().with_context(|| format!("{word} is a whole number"))?;
                    options.passed_on.extend([word.clone(), value.clone()]);
                }
                unknown => bail!("unknown argument `{unknown}` for simulate\n\n{USAGE}"),
            }
        }
        if options.planted && !options.passed_on.is_empty() {
            bail!("`--planted` takes no other argument\n\n{USAGE}");
        }
        Ok(options)
    }
}

pub fn run(args: &[String]) -> Result<ExitCode> {
    let options = Options::parse(args)?;
    if options.planted {
        planted()?;
        return Ok(ExitCode::SUCCESS);
    }
    succeed(cargo().args(BUILD))?;
    succeed(Command::new(program(&target_dir())).args(&options.passed_on))?;
    Ok(ExitCode::SUCCESS)
}

/// Runs of a submission, or of a release check, from a fresh seed that is printed.
pub fn slice(full: bool) -> Result<()> {
    succeed(&mut slice_of(&program(&target_dir()), if full { LONG } else { SLICE }))
}

fn slice_of(program: &Path, [messages, seconds]: [u64; 2]) -> Command {
    let mut command = Command::new(program);
    command.args(["--messages", &messages.to_string(), "--seconds", &seconds.to_string()]);
    command
}

fn program(target: &Path) -> PathBuf {
    target.join("debug/simulate")
}

/// Proves for every patch that the simulator detects its fault.
pub fn planted() -> Result<()> {
    let patches = planted::of(&root().join("crates/testkit/planted"))?;
    let (copy, target) = planted::places();
    for patch in &patches {
        let name = patch.file_name().unwrap_or_default().to_string_lossy();
        println!("\n-- {name}");
        planted::plant(patch, &copy)?;
        let mut build = cargo();
        build.args(BUILD).current_dir(&copy).env("CARGO_TARGET_DIR", &target);
        succeed(&mut build).with_context(|| format!("{name} no longer compiles"))?;
        let began = Instant::now();
        let run = slice_of(&program(&target), SLICE).output().context("the simulator does not start")?;
        let output = String::from_utf8_lossy(&run.stdout);
        let Some(found) = output.lines().find_map(|line| line.strip_prefix("wrong: ")) else {
            bail!("the simulator did not detect {name}:\n{output}");
        };
        println!("detected after {:.1} s: {}", began.elapsed().as_secs_f64(), found);
    }
    println!("\nall {} planted faults detected", patches.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Options> {
        Options::parse(&text.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn arguments_of_the_program_are_passed_on_and_others_refused() {
        let words = |text: &str| text.split_whitespace().map(String::from).collect::<Vec<_>>();
        assert_eq!(parse("--seed 7").unwrap().passed_on, words("--seed 7"));
        assert_eq!(parse("--messages 10 --seconds 5").unwrap().passed_on, words("--messages 10 --seconds 5"));
        assert!(parse("--planted").unwrap().planted);
        for wrong in ["--seed", "--seed x", "--fast", "--planted --seed 1"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
