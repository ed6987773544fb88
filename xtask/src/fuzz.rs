//! `cargo xtask fuzz`: schemathesis generates requests from `/openapi.json` and checks the real
//! server's answers against it.
//!
//! The server is `chasqui dev` on loopback ports of its own, with the emulator, the rehearsal model
//! and no rate limit. `xtask/schemathesis` creates its data and points requests at it. Nothing
//! leaves this machine: the hooks turn every URL in a body into one of the sample order service.

use std::fs;
use std::num::ParseIntError;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::dev_server::{DevServer, program};
use crate::process::{cargo, empty, hermetic, output_of, root, succeed, target_dir, within};
use crate::usage::USAGE;
use crate::wheel::SCHEMATHESIS;

/// Length of a run in a submission: the requests that cover all operations take half of it on a quiet
/// machine.
const SECONDS: u64 = 150;
/// Length of a run before a release.
const LONG_SECONDS: u64 = 600;
/// Allowance for reading the document and writing reports.
const ALLOWANCE: Duration = Duration::from_secs(25);
/// Share of the document's operations that must be answered with 2xx.
const ENOUGH_PERCENT: usize = 90;

#[derive(Debug, PartialEq, Eq)]
struct Options {
    install: bool,
    seconds: u64,
    /// As schemathesis prints it.
    seed: Option<u128>,
}

impl Options {
    fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self { install: false, seconds: SECONDS, seed: None };
        let mut words = args.iter().map(String::as_str);
        while let Some(word) = words.next() {
            match word {
                "--install" => options.install = true,
                "--seconds" => options.seconds = whole(word, words.next())?,
                "--seed" => options.seed = Some(whole(word, words.next())?),
                unknown => bail!("unknown argument `{unknown}` for fuzz\n\n{USAGE}"),
            }
        }
        Ok(options)
    }
}

fn whole<T: FromStr<Err = ParseIntError>>(word: &str, value: Option<&str>) -> Result<T> {
    let value = value.with_context(|| format!("`{word}` needs a value\n\n{USAGE}"))?;
    value.parse().with_context(|| format!("{word} is a whole number"))
}

pub fn run(args: &[String]) -> Result<ExitCode> {
    let options = Options::parse(args)?;
    let python = SCHEMATHESIS.python(options.install)?;
    succeed(cargo().args(["build", "--locked", "-p", "chasqui"]))?;
    fuzz(&python, &options)?;
    Ok(ExitCode::SUCCESS)
}

/// The run of a submission, or of a release check, with the binary that is already built.
pub fn slice(python: &Path, full: bool) -> Result<()> {
    fuzz(python, &Options { install: false, seconds: if full { LONG_SECONDS } else { SECONDS }, seed: None })
}

fn fuzz(python: &Path, options: &Options) -> Result<()> {
    let folder = target_dir().join("xtask/fuzz");
    empty(&folder)?;
    let server = DevServer::start(&folder)?;
    let scripts = root().join("xtask/schemathesis");
    let with_server = |command: &mut Command| {
        let known = [("URL", &server.url), ("EMULATOR", &server.emulator), ("API_KEY", &server.key)];
        for (name, value) in known.into_iter().chain([("LOOPBACK", &server.orders)]) {
            command.env(format!("FUZZ_{name}"), value);
        }
        let places =
            [("PROGRAM", program()), ("DATA_DIR", folder.join("data")), ("REPORT", folder.join("report.json"))];
        for (name, path) in places.into_iter().chain([("HOOKS", scripts.join("hooks.py"))]) {
            command.env(format!("FUZZ_{name}"), path);
        }
        command.env("PYTHONDONTWRITEBYTECODE", "1").current_dir(&folder);
    };

    let mut world = Command::new(python);
    with_server(hermetic(world.arg(scripts.join("world.py"))));
    let world = output_of(&mut world).context("cannot create the data that requests need")?;
    let token = serde_json::from_str::<Value>(&world)?["token"].as_str().unwrap_or_default().to_owned();

    let mut command = Command::new(python);
    command.args(["-m", "schemathesis.cli", "--config-file"]).arg(scripts.join("schemathesis.toml"));
    command.arg("run").arg(format!("{}/openapi.json", server.url)).args(["--max-time", &options.seconds.to_string()]);
    if let Some(seed) = options.seed {
        command.args(["--seed", &seed.to_string()]);
    }
    with_server(hermetic(&mut command));
    command.env("FUZZ_WORLD", world).env("FUZZ_CLI_TOKEN", token);
    let longest = Duration::from_secs(options.seconds) + ALLOWANCE;
    let outcome = within(longest, &mut command);
    let errors = server.errors();
    count(&folder.join("report.json"))?;
    if !errors.is_empty() {
        println!("the server logged errors:\n{errors}");
    }
    outcome?;
    if !errors.is_empty() {
        bail!("the server logged errors");
    }
    Ok(())
}

/// Prints which operations succeeded at least once, and fails if that is too few of them.
fn count(report: &Path) -> Result<()> {
    let report = fs::read_to_string(report).context("schemathesis left no report: see its output")?;
    let report: Value = serde_json::from_str(&report)?;
    let document: Value = serde_json::from_str(&fs::read_to_string(root().join("openapi/v1.json"))?)?;
    let items = document["paths"].as_object().into_iter().flatten().flat_map(|(_, item)| item.as_object());
    let names: Vec<&str> = items.flatten().filter_map(|(_, operation)| operation["operationId"].as_str()).collect();
    let answers = |name: &str| report["answers"][name].as_object();
    let succeeded = |name: &&str| answers(name).is_some_and(|found| found.keys().any(|status| status.starts_with('2')));
    let (reached, missed): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| succeeded(name));
    let calls: u64 = names.iter().filter_map(|name| answers(name)).flatten().filter_map(|(_, n)| n.as_u64()).sum();
    println!("{calls} requests; refusals that no schema can express: {}", report["dropped"]);
    println!("operations answered with 2xx: {} of {}", reached.len(), names.len());
    for name in &missed {
        println!("  never: {name} {}", report["answers"][name]);
    }
    if reached.len() * 100 < names.len() * ENOUGH_PERCENT {
        bail!("only {} of {} operations were answered with 2xx", reached.len(), names.len());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Options> {
        Options::parse(&text.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn length_and_seed_of_a_run_are_options() {
        assert_eq!(parse("").unwrap(), Options { install: false, seconds: SECONDS, seed: None });
        let options = parse("--install --seconds 600 --seed 269744131736856918648946655087365249686").unwrap();
        assert_eq!(
            options,
            Options { install: true, seconds: 600, seed: Some(269_744_131_736_856_918_648_946_655_087_365_249_686) }
        );
        for wrong in ["--fast", "--seconds", "--seconds many"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
