//! Finds the programs of PostgreSQL and the Chromium browser, and installs them if that is allowed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{succeed, user_id};

/// The folder that holds all of `names`, after an installation if that is allowed and needed.
pub fn programs(names: &[&str], install: bool) -> Result<PathBuf> {
    if let Some(folder) = find(names) {
        return Ok(folder);
    }
    let wanted = names.join(", ");
    if install {
        install_with_apt()?;
        return find(names).with_context(|| format!("PostgreSQL was installed, but {wanted} cannot be found"));
    }
    bail!(
        "PostgreSQL is not installed: no folder of PATH, /usr/lib/postgresql/*/bin or /usr/local/bin has {wanted}. \
         Install it:\n\
         \x20 Debian, Ubuntu   apt-get install --no-install-recommends postgresql\n\
         \x20 or by command    cargo xtask test --install\n\
         or name a server (psql is still needed):\n\
         \x20 TEST_DATABASE_URL=postgres://user@host:port/postgres cargo xtask test"
    )
}

fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(debian_versions(Path::new("/usr/lib/postgresql")));
    folders.push(PathBuf::from("/usr/local/bin"));
    folders.into_iter().find(|folder| names.iter().all(|name| folder.join(name).is_file()))
}

/// `<parent>/<version>/bin`, newest first.
fn debian_versions(parent: &Path) -> Vec<PathBuf> {
    let mut versions: Vec<u32> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions.into_iter().map(|version| parent.join(version.to_string()).join("bin")).collect()
}

/// Chromium, after an installation if that is allowed and needed.
pub fn chromium(install: bool) -> Result<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let find = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        names
            .iter()
            .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
            .find(|program| program.is_file())
    };
    if let Some(program) = find() {
        return Ok(program);
    }
    if install {
        succeed(&mut as_root(&["apt-get", "update"]))?;
        succeed(&mut as_root(&[&INSTALL[..], &["chromium"]].concat()))?;
        return find().context("Chromium was installed, but cannot be found");
    }
    bail!(
        "Chromium is not installed: no folder of PATH has {}. Install it:\n\
         \x20 Debian           apt-get install --no-install-recommends chromium\n\
         \x20 or by command    cargo xtask test --install",
        names.join(", ")
    )
}

const INSTALL: [&str; 6] =
    ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "--no-install-recommends"];

/// Debian's package would start a cluster of its own on port 5432; the setting prevents that. An
/// existing setting is kept: it is the administrator's.
fn install_with_apt() -> Result<()> {
    let configuration = Path::new("/etc/postgresql-common/createcluster.conf");
    let untouched = !configuration.exists();
    succeed(&mut as_root(&["apt-get", "update"]))?;
    succeed(as_root(&INSTALL).arg("postgresql-common"))?;
    if untouched {
        let append = format!("echo 'create_main_cluster = false' >> {}", configuration.display());
        succeed(&mut as_root(&["sh", "-c", &append]))?;
    }
    succeed(as_root(&INSTALL).arg("postgresql"))
}

fn as_root(words: &[&str]) -> Command {
    let is_root = user_id(&["-u"]).is_ok_and(|uid| uid == 0);
    let mut command = Command::new(if is_root { "env" } else { "sudo" });
    command.args(words);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_installation_is_reported_with_the_command_that_installs_it() {
        let error = programs(&["no-such-program"], false).unwrap_err().to_string();
        assert!(error.contains("no-such-program") && error.contains("apt-get install"), "{error}");
    }
}
