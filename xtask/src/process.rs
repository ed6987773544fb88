//! Starting other programs: in which folder and environment they run, and one form of error when
//! they fail.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The folder of the workspace's `Cargo.toml`.
pub fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

pub fn target_dir() -> PathBuf {
    root().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// The cargo that runs us.
pub fn cargo() -> Command {
    in_workspace(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs in the root of the workspace, without the variables in which the outer cargo describes the
/// package xtask: some build scripts watch them, and half of the tree would be compiled again
/// whenever cargo is called directly.
pub fn in_workspace(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(describes_a_package) {
            command.env_remove(name);
        }
    }
    if is_ci() {
        // A build machine compiles each crate once: what is kept for the next build would only cost
        // time.
        command.env("CARGO_INCREMENTAL", "0");
    }
    command
}

/// True on a build machine, where missing programs are installed.
pub fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|ci| ci == "true")
}

fn describes_a_package(variable: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_"].iter().any(|start| variable.starts_with(start))
}

/// Runs with our input and output.
pub fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start `{}`", describe(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", describe(command));
    }
    Ok(())
}

/// Runs silently and returns the standard output; an error holds the standard error.
pub fn output_of(command: &mut Command) -> Result<String> {
    let Output { status, stdout, stderr } =
        command.output().with_context(|| format!("cannot start `{}`", describe(command)))?;
    if !status.success() {
        let errors = String::from_utf8_lossy(&stderr);
        bail!("`{}` ended with {status}\n{}", describe(command), errors.trim_end());
    }
    String::from_utf8(stdout).with_context(|| format!("`{}` wrote text that is not UTF-8", describe(command)))
}

/// Removes the developer's own settings: a test must not use their database or spend their model
/// credit.
pub fn hermetic(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let keys = ["TEST_DATABASE_URL", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"];
        if text.starts_with("CHASQUI_") || keys.contains(&&*text) {
            command.env_remove(&name);
        }
    }
    command
}

/// Makes a folder, or empties it.
pub fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}

/// Runs to a successful end in time, or kills it.
pub fn within(limit: Duration, command: &mut Command) -> Result<()> {
    let mut child = command.spawn().with_context(|| format!("cannot start `{}`", describe(command)))?;
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            if status.success() {
                return Ok(());
            }
            bail!("`{}` ended with {status}", describe(command));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            bail!("`{}` did not end within {} s and was killed", describe(command), limit.as_secs());
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// The command as a person would type it, without the folder of the program.
pub fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(name).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Output of `id` with these arguments: `-u` for the current user, `-u NAME` for another.
pub fn user_id(args: &[&str]) -> Result<u32> {
    let text = output_of(Command::new("id").args(args))?;
    text.trim().parse().with_context(|| format!("`id` answered {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_cargo_does_not_inherit_the_description_of_this_package() {
        assert!(std::env::var_os("CARGO_PKG_NAME").is_some(), "cargo sets it for tests");
        let removed: Vec<_> =
            cargo().get_envs().filter(|(_, value)| value.is_none()).map(|(name, _)| name.to_owned()).collect();
        assert!(
            removed.contains(&"CARGO_PKG_NAME".into()) && removed.contains(&"CARGO_MANIFEST_DIR".into()),
            "{removed:?}"
        );
        assert!(!removed.contains(&"CARGO_HOME".into()) && !removed.contains(&"CARGO_TARGET_DIR".into()));
    }

    #[test]
    fn hanging_program_is_killed_and_named() {
        let started = Instant::now();
        let error = within(Duration::from_millis(100), Command::new("sleep").arg("30")).unwrap_err();
        assert!(error.to_string().contains("`sleep 30` did not end"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn failing_program_is_an_error() {
        assert!(within(Duration::from_secs(60), &mut Command::new("true")).is_ok());
        assert!(within(Duration::from_secs(60), &mut Command::new("false")).is_err());
    }
}
