//! `cargo xtask test`: every check there is, in the order in which a failure is cheapest to see.
//!
//! Nothing is skipped: what a check needs is installed (`--install`, `CI=true`) or its absence is the failure.

use std::fs::{self, File};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::cluster::Durability;
use crate::postgres::Postgres;
use crate::process::{cargo, hermetic, root, succeed, target_dir, within};
use crate::stage::Stages;
use crate::{USAGE, boundaries, dependencies, fuzz, planted, simulate};

const DEMO_MAY_TAKE: Duration = Duration::from_secs(60);

/// Crates whose tests touch a database; they run once per engine.
const ON_DATABASES: [&str; 6] = ["-p", "chasqui-store", "-p", "chasqui-server", "-p", "chasqui"];

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    install: bool,
    full: bool,
}

impl Options {
    fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self::default();
        for arg in args {
            match arg.as_str() {
                "--install" => options.install = true,
                "--full" => options.full = true,
                unknown => bail!("unknown argument `{unknown}` for test\n\n{USAGE}"),
            }
        }
        Ok(options)
    }
}

pub fn run(args: &[String]) -> Result<ExitCode> {
    let mut options = Options::parse(args)?;
    options.install |= std::env::var("CI").is_ok_and(|ci| ci == "true");
    let mut stages = Stages::default();
    let outcome = every_stage(&mut stages, &options);
    stages.print(&outcome);
    Ok(if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn every_stage(stages: &mut Stages, options: &Options) -> Result<()> {
    stages.run("format", |_| succeed(cargo().args(["fmt", "--all", "--check"])))?;
    stages.run("boundaries", |_| boundaries::check(root()))?;
    stages.run("dependencies", |_| dependencies::check())?;
    // Before the long stages, so that what is missing is known in the first minute.
    let postgres = stages.run("postgresql", |_| Postgres::start(options.install, Durability::None))?;
    let python = stages.run("schemathesis", |_| fuzz::python(options.install))?;
    stages.run("clippy", |_| {
        // With the failpoints, or the crash matrix and the simulator would never be looked at.
        let features = ["--features", "chasqui/failpoints,chasqui-testkit/simulator"];
        let mut command = cargo();
        command.args(["clippy", "--workspace", "--all-targets", "--locked"]).args(features);
        succeed(command.args(["--", "-D", "warnings"]))
    })?;
    stages.run("build", |_| {
        succeed(cargo().args(["test", "--workspace", "--locked", "--no-run"]))?;
        succeed(cargo().args(["build", "--workspace", "--bins", "--locked"]))
    })?;
    stages.run("tests on SQLite", |tests| {
        tests.run(hermetic(cargo().args(["test", "--workspace", "--locked", "--no-fail-fast"])))
    })?;
    stages.run("tests on PostgreSQL", |tests| {
        let mut command = cargo();
        hermetic(command.arg("test").args(ON_DATABASES).args(["--locked", "--no-fail-fast"]));
        tests.run(command.env("TEST_DATABASE_URL", postgres.url()))
    })?;
    stages.run("demo on SQLite", |_| demo("demo-sqlite", None))?;
    stages.run("demo on PostgreSQL", |_| {
        let database = postgres.create_database("chasqui_demo")?;
        demo("demo-postgresql", Some(database.url()))
    })?;
    stages.run("fuzz by schema", |_| fuzz::slice(&python, options.full))?;
    // After the demos, since it leaves a binary with failpoints in `target/debug`.
    stages.run("crash matrix, build", |_| succeed(crash_matrix(options).arg("--no-run")))?;
    stages.run("crash matrix, SQLite", |tests| tests.run_some(&mut crash_matrix(options)))?;
    stages.run("crash matrix, PostgreSQL", |tests| {
        tests.run_some(crash_matrix(options).env("TEST_DATABASE_URL", postgres.url()))
    })?;
    stages.run("simulator, build", |_| {
        succeed(simulator_tests().arg("--no-run"))?;
        simulate::build()
    })?;
    stages.run("simulator", |tests| {
        tests.run_some(&mut simulator_tests())?;
        simulate::slice(options.full)
    })?;
    if options.full {
        stages.run("hostile model, long", |tests| tests.run_some(&mut hostile_model()))?;
        stages.run("release build", |_| succeed(cargo().args(["build", "--release", "-p", "chasqui", "--locked"])))?;
        stages.run("simulator, planted", |_| simulate::planted())?;
        stages.run("planted", |_| planted::run(&[]).map(drop))?;
    }
    Ok(())
}

/// Kills the server at every failpoint and one of two nodes at any time; without the feature there are no such tests.
fn crash_matrix(options: &Options) -> Command {
    let mut command = cargo();
    hermetic(command.args(["test", "-p", "chasqui", "--features", "failpoints", "--locked", "crash"]));
    if options.full {
        // More kills, and a node that is paused for longer than any lease and time-out.
        command.envs([("CHASQUI_CRASH_KILLS", "60"), ("CHASQUI_CRASH_PAUSE", "35")]);
    }
    command
}

/// A hundred thousand turns, in which everything must be met often enough; optimised, as they take minutes.
fn hostile_model() -> Command {
    let mut command = cargo();
    hermetic(command.args([
        "test",
        "--release",
        "-p",
        "chasqui-engine",
        "--locked",
        "--test",
        "it",
        "a_hostile_model",
    ]));
    command.env("HOSTILE_TURNS", "100000");
    command
}

/// That a seed runs the same way twice.
fn simulator_tests() -> Command {
    let mut command = cargo();
    hermetic(command.args(["test", "-p", "chasqui-testkit", "--features", "simulator", "--locked", "simulator"]));
    command
}

/// Runs the product's demo in an empty data folder; the transcript stays under `target/xtask` to be read.
fn demo(name: &str, database: Option<&str>) -> Result<()> {
    let folder = target_dir().join("xtask");
    let data = folder.join(name);
    if data.exists() {
        fs::remove_dir_all(&data).with_context(|| format!("cannot empty {}", data.display()))?;
    }
    fs::create_dir_all(&data).with_context(|| format!("cannot create {}", data.display()))?;
    let transcript = folder.join(format!("{name}.json"));
    let file = File::create(&transcript).with_context(|| format!("cannot write {}", transcript.display()))?;

    let mut command = Command::new(target_dir().join("debug/chasqui"));
    hermetic(command.args(["demo", "--json"]).current_dir(root())).env("CHASQUI_DATA_DIR", &data).stdout(file);
    if let Some(url) = database {
        command.env("CHASQUI_DATABASE_URL", url);
    }
    within(DEMO_MAY_TAKE, &mut command).with_context(|| format!("demo with its output in {}", transcript.display()))?;
    println!("{}", transcript.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(String::from).collect()
    }

    #[test]
    fn flags_are_known_or_refused_with_the_usage() {
        assert_eq!(Options::parse(&words("--full --install")).unwrap(), Options { install: true, full: true });
        let error = Options::parse(&words("--fast")).unwrap_err().to_string();
        assert!(error.contains("unknown argument `--fast`") && error.contains("usage:"), "{error}");
    }
}
