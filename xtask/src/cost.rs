//! `cargo xtask cost`: the fuzz of cost, which counts what inputs within the limits allocate, and its
//! corpus in `fixtures/cost`. The program is `crates/testkit/src/bin/cost`.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::nextest::FEATURES;
use crate::process::{cargo, root, succeed, target_dir};
use crate::usage::USAGE;

/// Seconds in a submission, with the corpus.
const SLICE: u64 = 10;
/// Before a release.
const LONG: u64 = 600;

/// A bench keeps the features of dependencies equal to those of the tests.
const BUILD: [&str; 7] = ["build", "--locked", "--workspace", "--bin", "cost", "--bench", "advance"];

pub fn run(args: &[String]) -> Result<ExitCode> {
    let passed_on = options(args)?;
    succeed(cargo().args(BUILD).args(FEATURES))?;
    succeed(program().args(passed_on))?;
    Ok(ExitCode::SUCCESS)
}

/// The corpus, then fresh inputs for the rest of the time.
pub fn slice(full: bool) -> Result<()> {
    succeed(program().args(["--seconds", &if full { LONG } else { SLICE }.to_string()]))
}

fn program() -> Command {
    let mut program = Command::new(target_dir().join("debug/cost"));
    program.current_dir(root());
    program
}

fn options(args: &[String]) -> Result<Vec<String>> {
    let mut passed_on = Vec::new();
    let mut words = args.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--write" => passed_on.push(word.clone()),
            "--seconds" | "--seed" => {
                let value = words.next().with_context(|| format!("`{word}` needs a value\n\n{USAGE}"))?;
                value.parse::<u64>().with_context(|| format!("{word} is a whole number"))?;
                passed_on.extend([word.clone(), value.clone()]);
            }
            unknown => bail!("unknown argument `{unknown}` for cost\n\n{USAGE}"),
        }
    }
    Ok(passed_on)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_passed_on_and_others_refused() {
        let words = |text: &str| text.split_whitespace().map(String::from).collect::<Vec<_>>();
        assert_eq!(options(&words("--seed 7 --write")).unwrap(), words("--seed 7 --write"));
        for wrong in ["--seed", "--seconds many", "--fast"] {
            assert!(options(&words(wrong)).is_err(), "{wrong}");
        }
    }
}
