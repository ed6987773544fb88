//! `cargo xtask dev`: from a fresh clone to a running Chasqui in one command.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::process::{cargo, succeed, target_dir};

/// Builds the release binary and becomes it, so that Ctrl-C and every other signal reach it
/// directly.
pub fn run(args: &[String]) -> Result<ExitCode> {
    succeed(cargo().args(["build", "--release", "-p", "chasqui"]))?;
    let binary = target_dir().join("release/chasqui");
    let error = Command::new(&binary).arg("dev").args(args).exec();
    Err(error).with_context(|| format!("cannot start {}", binary.display()))
}
