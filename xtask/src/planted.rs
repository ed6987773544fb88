//! `cargo xtask planted`: the proof that the engine's tests find what they are there to find.
//!
//! Each patch in `crates/engine/planted` puts one mistake into a copy of the sources; those in `guards` switch off one guard against text
//! that attacks. The test that its second line names must fail on it. A patch that no longer applies is a failure, so that the proof does
//! not rot.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::process::{cargo, output_of, root, succeed, target_dir};

/// What the second line of a patch begins with; the filter of the test follows.
const FOUND_BY: &str = "Found by: cargo test -p chasqui-engine --test it ";
const TESTS: [&str; 5] = ["test", "--locked", "-p", "chasqui-engine", "--test=it"];

pub fn run(args: &[String]) -> Result<ExitCode> {
    engine(args)?;
    Ok(ExitCode::SUCCESS)
}

/// Proves it for every patch, or for those whose names contain one of the words.
pub fn engine(words: &[String]) -> Result<()> {
    let mut all = patches("crates/engine/planted")?;
    all.extend(patches("crates/engine/planted/guards")?);
    all.retain(|patch| words.is_empty() || words.iter().any(|word| name(patch).contains(word.as_str())));
    if all.is_empty() {
        bail!("no patch has a name like {}", words.join(" or "));
    }
    let copy = Copy::new();
    for patch in &all {
        let began = Instant::now();
        let found = found_by(patch, &copy)?;
        println!("{:<28} found in {:>5.1} s: {found}", name(patch), began.elapsed().as_secs_f64());
    }
    println!("\nall {} planted mistakes found", all.len());
    Ok(())
}

fn found_by(patch: &Path, copy: &Copy) -> Result<String> {
    let filter = filter(&fs::read_to_string(patch)?).with_context(|| format!("{} names no test", name(patch)))?;
    copy.plant(patch)?;
    let mut build = copy.cargo();
    build.args(TESTS).arg("--no-run").arg("--quiet");
    succeed(&mut build).with_context(|| format!("{} no longer compiles", name(patch)))?;
    let run = copy.cargo().args(TESTS).arg(&filter).output().context("the tests do not start")?;
    let said = String::from_utf8_lossy(&run.stdout);
    let failed = said.lines().find_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"));
    match failed {
        Some(test) if !run.status.success() => Ok(test.to_owned()),
        _ => bail!("{} was not found by `{filter}`:\n{said}", name(patch)),
    }
}

/// The filter in a patch's second line.
fn filter(patch: &str) -> Option<String> {
    patch.lines().nth(1)?.strip_prefix(FOUND_BY).map(|filter| filter.trim().to_owned())
}

/// A copy of the sources to plant mistakes in.
pub struct Copy {
    sources: PathBuf,
    target: PathBuf,
}

impl Copy {
    /// With a target folder of its own: to cargo two copies of a workspace are one, and each would be built with the other's parts.
    pub fn new() -> Self {
        let folder = target_dir().join("planted");
        Self { sources: folder.join("sources"), target: folder.join("target") }
    }

    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Makes the copy what the sources are, with this patch and no other.
    pub fn plant(&self, patch: &Path) -> Result<()> {
        copy_sources(&self.sources)?;
        // It must not take the repository around the copy for its own.
        let mut apply = Command::new("git");
        apply.arg("apply").arg(patch).current_dir(&self.sources).env("GIT_CEILING_DIRECTORIES", target_dir());
        succeed(&mut apply).with_context(|| format!("{} no longer applies: plant its mistake anew", name(patch)))
    }

    pub fn cargo(&self) -> Command {
        let mut command = cargo();
        command.current_dir(&self.sources).env("CARGO_TARGET_DIR", &self.target);
        command
    }
}

pub fn name(patch: &Path) -> String {
    patch.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The patches in a folder of the repository.
pub fn patches(folder: &str) -> Result<Vec<PathBuf>> {
    let folder = root().join(folder);
    let mut patches = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
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

/// Copies what git knows, and touches only what differs, so that the second build is small.
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
    fn every_patch_names_files_that_exist() {
        for folder in ["crates/engine/planted", "crates/engine/planted/guards", "crates/testkit/planted"] {
            for patch in patches(folder).unwrap() {
                let text = fs::read_to_string(&patch).unwrap();
                let files: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("--- a/")).collect();
                assert!(!files.is_empty(), "{}", patch.display());
                for file in files {
                    assert!(root().join(file).is_file(), "{}: {file}", patch.display());
                }
                assert!(folder.starts_with("crates/testkit") || filter(&text).is_some(), "{}", patch.display());
            }
        }
    }

    #[test]
    fn every_guard_in_the_list_of_the_attacks_has_a_patch() {
        let list = fs::read_to_string(root().join("crates/engine/tests/it/injection/mod.rs")).unwrap();
        let rows = list
            .lines()
            .filter(|line| line.starts_with("//! | ") && !line.contains("guard, off") && !line.contains("---"));
        assert_eq!(rows.count(), patches("crates/engine/planted/guards").unwrap().len());
    }
}
