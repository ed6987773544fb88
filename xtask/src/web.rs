//! `cargo xtask web`: the dashboard's sources in `web`, and its bundle in `crates/server/assets/app`.
//!
//! The bundle is committed, so that no build of the program needs Node. Node is pinned: it is
//! installed below target, and another one on the `PATH` is not used.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::install::chromium;
use crate::process::{cargo, hermetic, is_ci, root, succeed, target_dir, within};
use crate::stage::TestCount;
use crate::usage::USAGE;
use crate::wheel::NODE;

const BUNDLE: &str = "crates/server/assets/app";
/// Limit of the tests in the browser; a quiet machine needs a quarter of it.
const BROWSER_LIMIT: Duration = Duration::from_mins(8);

pub fn run(args: &[String]) -> Result<ExitCode> {
    let mut install = is_ci();
    let mut task = "";
    for arg in args {
        match arg.as_str() {
            "--install" => install = true,
            "--check" | "--browser" | "--serve" if task.is_empty() => task = arg,
            unknown => bail!("unknown argument `{unknown}` for web\n\n{USAGE}"),
        }
    }
    let node = Node::find(install)?;
    match task {
        "--check" => node.check(&mut TestCount::default())?,
        "--browser" => {
            let web = Web { node, chromium: chromium(install)? };
            succeed(cargo().args(["build", "--locked", "-p", "chasqui"]))?;
            web.browser(&mut TestCount::default())?;
        }
        "--serve" => {
            node.prepare()?;
            succeed(&mut node.tool("vite/bin/vite.js"))?;
        }
        _ => {
            node.prepare()?;
            node.build(&root().join(BUNDLE))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `cargo xtask screenshots`: pictures of each page, light, dark and 390 px wide.
pub fn screenshots(args: &[String]) -> Result<ExitCode> {
    let install = is_ci() || args == ["--install"];
    if !install && !args.is_empty() {
        bail!("unknown argument `{}` for screenshots\n\n{USAGE}", args.join(" "));
    }
    let web = Web::find(install)?;
    web.node.prepare()?;
    succeed(cargo().args(["build", "--locked", "-p", "chasqui"]))?;
    let mut command = web.node.command();
    web.with_program(command.arg("test/screenshots.ts").arg(root().join("docs/screenshots")));
    within(BROWSER_LIMIT * 2, &mut command)?;
    Ok(ExitCode::SUCCESS)
}

/// What the checks of the dashboard need.
pub struct Web {
    node: Node,
    chromium: PathBuf,
}

impl Web {
    pub fn find(install: bool) -> Result<Self> {
        Ok(Self { node: Node::find(install)?, chromium: chromium(install)? })
    }

    /// Types, lint and unit tests, and the committed bundle against a fresh build.
    pub fn check(&self, tests: &mut TestCount) -> Result<()> {
        self.node.check(tests)
    }

    /// Tests in Chromium against the program, which must be built.
    pub fn browser(&self, tests: &mut TestCount) -> Result<()> {
        self.node.prepare()?;
        let mut command = Command::new("timeout");
        command.arg(BROWSER_LIMIT.as_secs().to_string()).arg(self.node.programs.join("node"));
        self.node.in_web(&mut command);
        // Two files at a time: each has a server and a browser of its own.
        command.args(["--test", "--test-concurrency=2", "--test-reporter=spec", "test/browser/*.test.ts"]);
        tests.run_node(self.with_program(&mut command))
    }

    fn with_program<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        hermetic(command).env("CHASQUI_PROGRAM", target_dir().join("debug/chasqui")).env("CHROMIUM", &self.chromium)
    }
}

/// The pinned Node.
struct Node {
    /// Folder of `node` and `npm`.
    programs: PathBuf,
}

impl Node {
    fn find(install: bool) -> Result<Self> {
        Ok(Self { programs: NODE.programs(install)? })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.programs.join("node"));
        self.in_web(&mut command);
        command
    }

    fn in_web(&self, command: &mut Command) {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.programs.clone()).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(folders).unwrap_or(path.clone())).current_dir(root().join("web"));
    }

    /// A program of a package.
    fn tool(&self, path: &str) -> Command {
        let mut command = self.command();
        command.arg(root().join("web/node_modules").join(path));
        command
    }

    /// Installs the packages of the lockfile, unless this was done, and writes the API's types.
    fn prepare(&self) -> Result<()> {
        let lock = fs::read(root().join("web/package-lock.json")).context("web/package-lock.json")?;
        let mark = root().join("web/node_modules/.chasqui-lock");
        if fs::read(&mark).ok().as_ref() != Some(&lock) {
            let mut npm = Command::new(self.programs.join("npm"));
            self.in_web(&mut npm);
            // No script of a package runs.
            succeed(npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]))?;
            fs::write(&mark, lock)?;
        }
        for name in ["v1", "app"] {
            let mut types = self.tool("openapi-typescript/bin/cli.js");
            types.arg(root().join(format!("openapi/{name}.json")));
            succeed(types.args(["-o", &format!("src/lib/generated/{name}.d.ts")]))?;
        }
        Ok(())
    }

    fn check(&self, tests: &mut TestCount) -> Result<()> {
        self.prepare()?;
        succeed(&mut self.tool("typescript/bin/tsc"))?;
        succeed(self.tool("@biomejs/biome/bin/biome").args(["check", "--error-on-warnings"]))?;
        tests.run_node(self.command().args(["--test", "--test-reporter=spec", "test/unit/*.test.ts"]))?;
        let fresh = target_dir().join("xtask/web");
        self.build(&fresh)?;
        same(&files(&root().join(BUNDLE))?, &files(&fresh)?)
    }

    fn build(&self, into: &Path) -> Result<()> {
        let mut vite = self.tool("vite/bin/vite.js");
        succeed(vite.args(["build", "--logLevel", "warn", "--emptyOutDir", "--outDir"]).arg(into))
    }
}

/// Content of all files below a folder, by path.
fn files(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).with_context(|| format!("cannot list {}", next.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let content = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
                found.insert(path.strip_prefix(folder)?.to_owned(), content);
            }
        }
    }
    Ok(found)
}

fn same(committed: &BTreeMap<PathBuf, Vec<u8>>, fresh: &BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
    let names = committed.keys().chain(fresh.keys().filter(|name| !committed.contains_key(*name)));
    let other: Vec<String> =
        names.filter(|name| committed.get(*name) != fresh.get(*name)).map(|name| name.display().to_string()).collect();
    if !other.is_empty() {
        bail!("{BUNDLE} is not what web builds; run `cargo xtask web` and commit: {}", other.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_missing_and_extra_files_of_the_bundle_are_named() {
        let all = |pairs: &[(&str, &str)]| -> BTreeMap<PathBuf, Vec<u8>> {
            pairs.iter().map(|(name, text)| (PathBuf::from(name), text.as_bytes().to_vec())).collect()
        };
        let committed = all(&[("index.html", "a"), ("old.js", "b"), ("same.css", "c")]);
        let fresh = all(&[("index.html", "A"), ("new.js", "b"), ("same.css", "c")]);
        let error = same(&committed, &fresh).unwrap_err().to_string();
        assert!(error.ends_with("commit: index.html, old.js, new.js"), "{error}");
        same(&committed, &committed).unwrap();
    }
}
