//! `cargo xtask planted`: proves that tests detect the faults that break a promise of the README.
//!
//! Each patch in `crates/*/planted` plants one fault in a copy of the sources. Its line `Found by:
//! COMMAND` names the tests that must then fail. Patches of `testkit` have no such line: `cargo
//! xtask simulate --planted` runs them. A patch that no longer applies is a failure. About a dozen
//! patches are enough: they break at renames, and other tests cover the details.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::process::{cargo, output_of, root, succeed, target_dir};
use crate::usage::USAGE;

const FOUND_BY: &str = "Found by: cargo ";

pub fn run(args: &[String]) -> Result<ExitCode> {
    let wanted = match args {
        [] => "",
        [one] if !one.starts_with('-') => one.as_str(),
        _ => bail!("`planted` takes the name of a crate's folder or of a patch, or nothing\n\n{USAGE}"),
    };
    let mut found = 0;
    for patch in all()? {
        let text = fs::read_to_string(&patch).with_context(|| format!("cannot read {}", patch.display()))?;
        let Some(tests) = text.lines().find_map(|line| line.strip_prefix(FOUND_BY)) else { continue };
        let name = patch.strip_prefix(root().join("crates")).unwrap_or(&patch).display().to_string();
        if name.contains(wanted) {
            is_detected(&name, &patch, tests)?;
            found += 1;
        }
    }
    if found == 0 {
        bail!("no patch has `{wanted}` in its name");
    }
    println!("\nall {found} planted faults detected");
    Ok(ExitCode::SUCCESS)
}

fn is_detected(name: &str, patch: &Path, tests: &str) -> Result<()> {
    println!("\n-- {name}");
    let (copy, target) = places();
    plant(patch, &copy)?;
    let words: Vec<&str> = tests.split_whitespace().collect();
    let in_copy = |command: &mut Command| {
        command.args(&words).current_dir(&copy).env("CARGO_TARGET_DIR", &target);
    };
    let mut build = cargo();
    in_copy(&mut build);
    succeed(build.arg("--no-run")).with_context(|| format!("{name} no longer compiles"))?;
    let began = Instant::now();
    let mut run = cargo();
    in_copy(&mut run);
    let run = run.output().context("the tests do not start")?;
    let output = String::from_utf8_lossy(&run.stdout);
    let failed: Vec<&str> = output.lines().filter(|line| line.ends_with("... FAILED")).collect();
    if run.status.success() || failed.is_empty() {
        bail!("`cargo {tests}` did not detect {name}:\n{output}");
    }
    println!("detected after {:.1} s: {}", began.elapsed().as_secs_f64(), failed.join(", "));
    Ok(())
}

/// The copy of the sources, and a target folder of its own: in a shared one cargo would mix up the
/// two workspaces.
pub fn places() -> (PathBuf, PathBuf) {
    (target_dir().join("planted/sources"), target_dir().join("planted/target"))
}

/// Brings the copy up to date with the sources and applies the patch to it.
pub fn plant(patch: &Path, copy: &Path) -> Result<()> {
    copy_sources(copy)?;
    let mut apply = Command::new("git");
    // The copy is inside our repository: without this, git would apply paths from its root.
    apply.arg("apply").arg(patch).current_dir(copy).env("GIT_CEILING_DIRECTORIES", target_dir());
    succeed(&mut apply)
        .with_context(|| format!("{} no longer applies: plant the fault in the changed code", patch.display()))
}

/// The patches of one crate, in order of name.
pub fn of(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut patches = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "patch") {
            patches.push(path);
        }
    }
    patches.sort();
    if patches.is_empty() {
        bail!("there is no patch in {}", folder.display());
    }
    Ok(patches)
}

fn all() -> Result<Vec<PathBuf>> {
    let mut patches = Vec::new();
    for entry in fs::read_dir(root().join("crates")).context("cannot list the crates")? {
        let folder = entry?.path().join("planted");
        if folder.is_dir() {
            patches.extend(of(&folder)?);
        }
    }
    patches.sort();
    Ok(patches)
}

/// Copies the files that git tracks. Equal files stay untouched, so that the second build is small.
fn copy_sources(copy: &Path) -> Result<()> {
    let files = output_of(
        Command::new("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root()),
    )?;
    for file in files.split('\0').filter(|file| !file.is_empty()) {
        let Ok(bytes) = fs::read(root().join(file)) else { continue };
        let to = copy.join(file);
        if fs::read(&to).is_ok_and(|old| old == bytes) {
            continue;
        }
        let folder = to.parent().context("a file without a folder")?;
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        fs::write(&to, bytes).with_context(|| format!("cannot write {}", to.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_patch_applies_and_names_its_tests() {
        let patches = all().unwrap();
        assert!((8..=24).contains(&patches.len()), "each is refreshed by hand when its code moves");
        for patch in patches {
            let check =
                Command::new("git").args(["apply", "--check"]).arg(&patch).current_dir(root()).output().unwrap();
            let why = String::from_utf8_lossy(&check.stderr);
            assert!(check.status.success(), "{}: plant the fault in the changed code: {why}", patch.display());
            let simulated = patch.components().any(|part| part.as_os_str() == "testkit");
            assert!(simulated || fs::read_to_string(&patch).unwrap().contains(FOUND_BY), "{}", patch.display());
        }
    }
}
