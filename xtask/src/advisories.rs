//! Known security faults of our dependencies, in `cargo xtask test --full`.
//!
//! The database changes without us and comes over the network. Where it cannot be fetched, a copy
//! can be named; without one the run says that nothing was checked.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::process::{in_workspace, root, succeed, target_dir};

/// Folder with cargo-deny's databases, used without network.
const VARIABLE: &str = "ADVISORY_DB";

/// Fails if a dependency has an advisory. `Some` if there is no database to check against.
pub fn check(deny: &Path) -> Result<Option<String>> {
    let config = match std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty()) {
        Some(folder) => Some(with_database(&PathBuf::from(folder))?),
        None if succeed(in_workspace(deny).args(["--locked", "fetch", "db"])).is_err() => {
            let why = format!("advisories: the database cannot be fetched; name a copy with {VARIABLE}=FOLDER");
            return Ok(Some(why));
        }
        None => None,
    };
    let mut command = in_workspace(deny);
    command.args(["--log-level", "warn", "--locked"]);
    if let Some(config) = &config {
        command.arg("--offline").arg("--config").arg(config);
    }
    succeed(command.args(["check", "advisories"]))?;
    Ok(None)
}

/// `deny.toml` with the folder of the database.
fn with_database(folder: &Path) -> Result<PathBuf> {
    let folder = fs::canonicalize(folder).with_context(|| format!("{VARIABLE}: {}", folder.display()))?;
    if fs::read_dir(&folder)?.next().is_none() {
        bail!("{VARIABLE}: {} is empty; copy ~/.cargo/advisory-dbs there", folder.display());
    }
    let text = fs::read_to_string(root().join("deny.toml")).context("deny.toml")?;
    let path = target_dir().join("xtask/deny-offline.toml");
    fs::create_dir_all(target_dir().join("xtask"))?;
    fs::write(&path, configured(&text, &folder)?).with_context(|| path.display().to_string())?;
    Ok(path)
}

fn configured(text: &str, folder: &Path) -> Result<String> {
    const SECTION: &str = "[advisories]\n";
    let (before, after) = text.split_once(SECTION).context("deny.toml has no section [advisories]")?;
    // Rust's escapes are TOML's, apart from those of control characters.
    Ok(format!("{before}{SECTION}db-path = {:?}\n{after}", folder.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_database_replaces_only_the_folder() {
        let text = fs::read_to_string(root().join("deny.toml")).unwrap();
        let made: toml::Table = configured(&text, Path::new("/db")).unwrap().parse().unwrap();
        let mut expected: toml::Table = text.parse().unwrap();
        expected["advisories"].as_table_mut().unwrap().insert("db-path".into(), "/db".into());
        assert_eq!(made, expected);
        assert!(configured("[bans]", Path::new("/db")).is_err());
    }

    #[test]
    fn absent_or_empty_database_is_an_error() {
        assert!(with_database(Path::new("/nowhere/at/all")).is_err());
    }
}
