//! The one build of the workspace that all tests share, and its tests run by cargo-nextest.
//!
//! Cargo unifies the features of dependencies over the packages it is given. A selection with `-p`
//! therefore compiles much of the tree again (250 s of the PostgreSQL stage once did). So every
//! command names the whole workspace and the same features, and nextest filters which tests run.
//!
//! The features are those of the crash tests and the simulator. They put hooks into the binary that
//! tests, demo and fuzz use. The hooks do nothing unless `CHASQUI_FAILPOINT`, `CHASQUI_RETRY_EVERY`
//! or `CHASQUI_CLOCK_OFF_BY` is set, which `hermetic` removes, or a simulator installs one in its
//! own thread. Clippy checks the product without the features too, and `dev`, `bench`, `--full` and
//! releases build it that way.

use std::path::PathBuf;
use std::process::Command;
use std::thread;

use anyhow::Result;

use crate::process::{hermetic, in_workspace, succeed};
use crate::wheel::NEXTEST;

pub const FEATURES: [&str; 2] = ["--features", "chasqui/failpoints,chasqui-testkit/simulator"];

/// Tests that depend on the database: those of the store and of all above it, without two long ones
/// about requests to models.
pub const ON_DATABASES: &str = "rdeps(chasqui-store) - test(hostile_history::) - test(scenarios::dialects::)";

pub struct Nextest {
    program: PathBuf,
}

impl Nextest {
    pub fn find(install: bool) -> Result<Self> {
        Ok(Self { program: NEXTEST.program(install)? })
    }

    /// Compiles every test and binary of the workspace.
    pub fn build(&self) -> Result<()> {
        succeed(self.command().arg("--no-run"))
    }

    /// The tests that `filter` selects, in nextest's filter language; all of them without a filter.
    pub fn tests(&self, filter: Option<&str>) -> Command {
        let mut command = self.command();
        // Tests of the program and of PostgreSQL mostly wait; twice the cores keep all of them
        // busy.
        let threads = 2 * thread::available_parallelism().map_or(1, usize::from);
        command.args(["--no-fail-fast", "--test-threads", &threads.to_string()]);
        if let Some(filter) = filter {
            command.args(["--filterset", filter]);
        }
        hermetic(&mut command);
        command
    }

    /// Of one package, optimised and without the features; at least one test must match. They may
    /// take longer than others.
    pub fn release_tests(&self, package: &str, filter: &str) -> Command {
        let mut command = in_workspace(&self.program);
        command.args(["nextest", "run", "--locked", "--release", "--profile", "long"]).args([
            "--package",
            package,
            "--filterset",
            filter,
        ]);
        hermetic(&mut command);
        command
    }

    fn command(&self) -> Command {
        let mut command = in_workspace(&self.program);
        command.args(["nextest", "run", "--workspace", "--locked"]).args(FEATURES);
        command
    }
}
