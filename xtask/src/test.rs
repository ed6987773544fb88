//! `cargo xtask check` and `cargo xtask test`: the checks in the order in which a failure is
//! cheapest to find.
//!
//! Nothing is skipped. Missing programs are installed (`--install`, `CI=true`), otherwise their
//! absence is the failure.

use std::fs::File;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::cluster::Durability;
use crate::nextest::{FEATURES, Nextest, ON_DATABASES};
use crate::postgres::Postgres;
use crate::process::{cargo, empty, hermetic, in_workspace, is_ci, root, succeed, target_dir, within};
use crate::stage::Stages;
use crate::usage::USAGE;
use crate::web::Web;
use crate::wheel::{DENY, MODELS, SCHEMATHESIS};
use crate::{
    advisories, boundaries, cost, documents, fuzz, imports, models, planted, signatures, simulate, watchdog, words,
};

const DEMO_LIMIT: Duration = Duration::from_secs(60);
const LIMIT: Duration = Duration::from_mins(60);
/// Before a release some stages take ten minutes each, and every planted fault is compiled.
const FULL_LIMIT: Duration = Duration::from_hours(4);

/// All but those that start the real program, and the simulator.
const QUICK: &str = "not (package(chasqui) & kind(test)) - (package(chasqui-testkit) & test(simulator))";

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    install: bool,
    full: bool,
}

impl Options {
    fn parse(command: &str, args: &[String]) -> Result<Self> {
        let mut options = Self::default();
        for arg in args {
            match arg.as_str() {
                "--install" => options.install = true,
                "--full" if command == "test" => options.full = true,
                unknown => bail!("unknown argument `{unknown}` for {command}\n\n{USAGE}"),
            }
        }
        options.install |= is_ci();
        Ok(options)
    }
}

/// `cargo xtask check`: the minutes between two edits.
pub fn check(args: &[String]) -> Result<ExitCode> {
    let options = Options::parse("check", args)?;
    Ok(timed(LIMIT, |stages| {
        let nextest = Nextest::find(options.install)?;
        sources(stages)?;
        clippy(stages)?;
        stages.run("build", |_| nextest.build())?;
        stages.run("tests on SQLite", |tests| tests.run(&mut nextest.tests(Some(QUICK))))
    }))
}

/// `cargo xtask test`: what a build machine runs.
pub fn run(args: &[String]) -> Result<ExitCode> {
    let options = Options::parse("test", args)?;
    let limit = if options.full { FULL_LIMIT } else { LIMIT };
    Ok(timed(limit, |stages| every_stage(stages, &options)))
}

fn timed(limit: Duration, work: impl FnOnce(&mut Stages) -> Result<()>) -> ExitCode {
    watchdog::start(limit);
    let mut stages = Stages::default();
    let outcome = work(&mut stages);
    stages.print(&outcome);
    if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn every_stage(stages: &mut Stages, options: &Options) -> Result<()> {
    sources(stages)?;
    // Before the long stages, so that a missing program is reported in the first minute.
    let nextest = stages.run("nextest", |_| Nextest::find(options.install))?;
    let deny = stages.run("cargo-deny", |_| DENY.program(options.install))?;
    let postgres = stages.run("postgresql", |_| Postgres::start(options.install, Durability::None))?;
    let python = stages.run("schemathesis", |_| SCHEMATHESIS.python(options.install))?;
    let models_python = match options.full {
        true => Some(stages.run("litellm and llama.cpp", |_| MODELS.python(options.install))?),
        false => None,
    };
    let web = stages.run("node and chromium", |_| Web::find(options.install))?;
    stages.run("web", |tests| web.check(tests))?;
    stages.run("dependencies", |_| dependencies(&deny))?;
    if options.full
        && let Some(why) = stages.run("advisories", |_| advisories::check(&deny))?
    {
        stages.not_checked(why);
    }
    clippy(stages)?;
    stages.run("build", |_| nextest.build())?;
    let crash_tests = if options.full { LONG_CRASH_TESTS } else { [].as_slice() };
    let on_postgres = [("TEST_DATABASE_URL", postgres.url())];
    stages.run("tests on SQLite", |tests| tests.run(nextest.tests(None).envs(crash_tests.iter().copied())))?;
    stages.run("tests on PostgreSQL", |tests| {
        tests.run(nextest.tests(Some(ON_DATABASES)).envs(crash_tests.iter().copied()).envs(on_postgres))
    })?;
    stages.run("demo on SQLite", |_| demo("demo-sqlite", None))?;
    stages.run("demo on PostgreSQL", |_| {
        let database = postgres.create_database("chasqui_demo")?;
        demo("demo-postgresql", Some(database.url()))
    })?;
    stages.run("webhook signatures", |_| signatures::check(&python))?;
    stages.run("web in Chromium", |tests| web.browser(tests))?;
    stages.run("fuzz by schema", |_| fuzz::slice(&python, options.full))?;
    stages.run("cost", |_| cost::slice(options.full))?;
    stages.run("simulator", |_| simulate::slice(options.full))?;
    if let Some(models_python) = models_python {
        stages.run("small real model", |_| models::small_model(&models_python))?;
        stages.run("models, long", |tests| tests.run(&mut models::long(&nextest)?))?;
        stages.run("requests of models", |_| models::check_requests(&models_python))?;
        stages.run("hostile model, long", |tests| tests.run(&mut hostile_model(&nextest)))?;
        stages.run("release build", |_| succeed(cargo().args(["build", "--release", "-p", "chasqui", "--locked"])))?;
        stages.run("simulator, planted", |_| simulate::planted())?;
        stages.run("planted", |_| planted::run(&[]).map(drop))?;
    }
    Ok(())
}

/// More kills, and a node that is paused for longer than any lease and time-out.
const LONG_CRASH_TESTS: &[(&str, &str)] = &[("CHASQUI_CRASH_KILLS", "60"), ("CHASQUI_CRASH_PAUSE", "35")];

fn sources(stages: &mut Stages) -> Result<()> {
    stages.run("format", |_| succeed(cargo().args(["fmt", "--all", "--check"])))?;
    stages.run("boundaries", |_| boundaries::check(root()))?;
    stages.run("imports", |_| imports::check(root()))?;
    stages.run("documents", |_| documents::check(root()))?;
    stages.run("words", |_| words::check(root()))
}

/// With the features of the tests, then the product without them. A bench in the second selection
/// keeps the features of dependencies equal, so that only our own crates are checked again.
fn clippy(stages: &mut Stages) -> Result<()> {
    let selections = [["--all-targets"].as_slice(), &["--lib", "--bins", "--bench", "advance"]];
    stages.run("clippy", |_| {
        for (targets, features) in selections.into_iter().zip([FEATURES.as_slice(), &[]]) {
            let mut command = cargo();
            command.args(["clippy", "--workspace", "--locked"]).args(targets).args(features);
            succeed(command.args(["--", "-D", "warnings"]))?;
        }
        Ok(())
    })
}

/// Licences, banned crates and sources, by `deny.toml`.
fn dependencies(deny: &Path) -> Result<()> {
    let mut command = in_workspace(deny);
    succeed(command.args(["--log-level", "error", "--locked", "check", "licenses", "bans", "sources"]))
}

/// A hundred thousand turns, in which each rare answer must be met often enough; optimised, as they
/// take minutes.
fn hostile_model(nextest: &Nextest) -> Command {
    let mut command = nextest.release_tests("chasqui-engine", "test(a_hostile_model)");
    command.env("HOSTILE_TURNS", "100000");
    command
}

/// Runs the product's demo in an empty data folder; its transcript stays in `target/xtask`.
fn demo(name: &str, database: Option<&str>) -> Result<()> {
    let folder = target_dir().join("xtask");
    let data = folder.join(name);
    empty(&data)?;
    let transcript = folder.join(format!("{name}.json"));
    let file = File::create(&transcript).with_context(|| format!("cannot write {}", transcript.display()))?;

    let mut command = Command::new(target_dir().join("debug/chasqui"));
    hermetic(command.args(["demo", "--json"]).current_dir(root())).env("CHASQUI_DATA_DIR", &data).stdout(file);
    if let Some(url) = database {
        command.env("CHASQUI_DATABASE_URL", url);
    }
    within(DEMO_LIMIT, &mut command).with_context(|| format!("demo with its output in {}", transcript.display()))?;
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
    fn unknown_flags_are_refused_with_the_usage() {
        assert_eq!(Options::parse("test", &words("--full --install")).unwrap(), Options { install: true, full: true });
        for (command, flag) in [("test", "--fast"), ("check", "--full")] {
            let error = Options::parse(command, &words(flag)).unwrap_err().to_string();
            assert!(error.contains(&format!("unknown argument `{flag}`")) && error.contains("usage:"), "{error}");
        }
    }
}
