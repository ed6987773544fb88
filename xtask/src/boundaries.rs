//! Dependencies that each crate may have, read from the manifests: the drawing in
//! `docs/architecture.md` as a check.
//!
//! Runs as a stage of `cargo xtask test` and as an ordinary test. Rules about the text of the
//! sources are in `sources`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

use crate::sources;

/// Every crate, by its folder, and those of ours it may use. A new crate needs a decision record
/// and a line here.
const ARROWS: [(&str, &[&str]); 10] = [
    ("domain", &[]),
    ("engine", &["domain"]),
    ("store", &["domain"]),
    ("gateways", &["domain"]),
    ("rehearsal", &["domain", "gateways"]),
    ("emulator", &["domain"]),
    ("runtime", &["domain", "engine", "gateways", "store"]),
    ("server", &["domain", "engine", "gateways", "runtime", "store"]),
    ("cli", &["domain", "emulator", "gateways", "rehearsal", "server"]),
    ("testkit", &["cli", "domain", "emulator", "engine", "gateways", "rehearsal", "runtime", "server", "store"]),
];

/// Dependencies that belong to few crates. testkit is itself only a dev-dependency, so it may use
/// what tests may use.
const CONFINED: [Confined; 5] = [
    Confined { dependency: "rusqlite", to: &["store"], even_in_tests: true },
    Confined { dependency: "sqlx", to: &["store"], even_in_tests: true },
    Confined { dependency: "reqwest", to: &["gateways", "emulator", "cli", "testkit"], even_in_tests: false },
    Confined { dependency: "axum", to: &["server", "emulator", "testkit"], even_in_tests: false },
    Confined { dependency: "utoipa", to: &["server"], even_in_tests: false },
];

/// The engine does no I/O and waits for nothing: none of these, nor of their families
/// (`tokio-util`, `futures-core`).
const ASYNC_FAMILIES: [&str; 12] =
    ["async", "axum", "futures", "hyper", "mio", "reqwest", "rmcp", "rusqlite", "smol", "sqlx", "tokio", "tower"];

struct Confined {
    dependency: &'static str,
    to: &'static [&'static str],
    even_in_tests: bool,
}

/// Checks manifests and sources below `root` and lists every problem.
pub fn check(root: &Path) -> Result<()> {
    let mut problems = manifest_problems(root)?;
    problems.extend(sources::problems(root)?);
    if !problems.is_empty() {
        bail!("{} problem(s)\n{}", problems.len(), problems.join("\n"));
    }
    Ok(())
}

fn manifest_problems(root: &Path) -> Result<Vec<String>> {
    let workspace = read_manifest(&root.join("Cargo.toml"))?;
    let mut folders = Vec::new();
    for entry in fs::read_dir(root.join("crates")).context("cannot list crates")? {
        let folder = entry?.path();
        if folder.join("Cargo.toml").is_file() {
            folders.push(folder);
        }
    }
    folders.sort();
    let mut problems = Vec::new();
    for folder in folders {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let manifest = read_manifest(&folder.join("Cargo.toml"))?;
        problems.extend(problems_of(&name, &manifest, &workspace));
        problems.extend(lint_problem(&name, &manifest));
    }
    Ok(problems)
}

fn read_manifest(path: &Path) -> Result<Table> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    text.parse().with_context(|| path.display().to_string())
}

fn problems_of(name: &str, manifest: &Table, workspace: &Table) -> Vec<String> {
    let Some((_, may_use)) = ARROWS.iter().find(|(folder, _)| *folder == name) else {
        return vec![format!("crates/{name} has no line in the arrows of xtask/src/boundaries.rs")];
    };
    let mut problems = Vec::new();
    for Dependency { package, in_tests } in dependencies(manifest, workspace) {
        if let Some(ours) = folder_of(&package)
            && !in_tests
            && !may_use.contains(&ours)
        {
            problems.push(format!("crates/{name} depends on {ours}: the arrows do not allow it"));
        }
        for rule in &CONFINED {
            if package == rule.dependency && !rule.to.contains(&name) && (rule.even_in_tests || !in_tests) {
                problems.push(format!("crates/{name} depends on {package}: it belongs to {}", rule.to.join(", ")));
            }
        }
        if name == "engine" && !in_tests && is_async(&package) {
            problems.push(format!("crates/engine depends on {package}: nothing in engine is async"));
        }
    }
    problems
}

/// The workspace's lints forbid unsafe code; a crate with lints of its own would escape them.
fn lint_problem(name: &str, manifest: &Table) -> Option<String> {
    let taken = manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool);
    (taken != Some(true)).then(|| format!("crates/{name} has lints of its own: use those of the workspace"))
}

fn folder_of(package: &str) -> Option<&str> {
    if package == "chasqui" { Some("cli") } else { package.strip_prefix("chasqui-") }
}

fn is_async(package: &str) -> bool {
    let family = package.split(['-', '_']).next().unwrap_or(package);
    ASYNC_FAMILIES.contains(&family)
}

struct Dependency {
    /// The real name, whatever the manifest calls it.
    package: String,
    in_tests: bool,
}

/// Of all tables, including those for one platform only. A build dependency counts as a normal one.
fn dependencies(manifest: &Table, workspace: &Table) -> Vec<Dependency> {
    let platforms = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let tables = std::iter::once(manifest).chain(platforms.filter_map(Value::as_table));
    let mut found = Vec::new();
    for table in tables {
        for (kind, in_tests) in [("dependencies", false), ("build-dependencies", false), ("dev-dependencies", true)] {
            let entries = table.get(kind).and_then(Value::as_table).into_iter().flatten();
            found.extend(entries.map(|(key, value)| Dependency { package: package(key, value, workspace), in_tests }));
        }
    }
    found
}

/// `package = "…"` here, or in the workspace's table if the entry comes from there, or the key
/// itself.
fn package(key: &str, value: &Value, workspace: &Table) -> String {
    let inherited = value.get("workspace").and_then(Value::as_bool).unwrap_or(false);
    let shared = workspace.get("workspace").and_then(|w| w.get("dependencies")).and_then(|d| d.get(key));
    let entry = if inherited { shared.unwrap_or(value) } else { value };
    entry.get("package").and_then(Value::as_str).unwrap_or(key).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::root;

    const WORKSPACE: &str = r#"
        [workspace.dependencies]
        domain = { path = "crates/domain", package = "chasqui-domain" }
        emulator = { path = "crates/emulator", package = "chasqui-emulator" }
        engine = { path = "crates/engine", package = "chasqui-engine" }
        gateways = { path = "crates/gateways", package = "chasqui-gateways" }
        runtime = { path = "crates/runtime", package = "chasqui-runtime" }
        server = { path = "crates/server", package = "chasqui-server" }
        store = { path = "crates/store", package = "chasqui-store" }
        testkit = { path = "crates/testkit", package = "chasqui-testkit" }
        database = { version = "1", package = "sqlx" }
    "#;

    fn found(name: &str, manifest: &str) -> Vec<String> {
        problems_of(name, &manifest.parse().unwrap(), &WORKSPACE.parse().unwrap())
    }

    #[track_caller]
    fn caught(name: &str, manifest: &str, dependency: &str) {
        let problems = found(name, manifest);
        assert!(!problems.is_empty(), "{name} may not have: {manifest}");
        let expected = format!("crates/{name} depends on {dependency}:");
        assert!(problems.iter().all(|problem| problem.starts_with(&expected)), "{problems:?}");
    }

    #[track_caller]
    fn fine(name: &str, manifest: &str) {
        assert_eq!(found(name, manifest), [""; 0]);
    }

    #[test]
    fn this_repository_keeps_its_boundaries() {
        if let Err(error) = check(root()) {
            panic!("{error:#}");
        }
    }

    #[test]
    fn sqlx_stays_in_store() {
        fine("store", "[dependencies]\nsqlx.workspace = true");
        caught("server", "[dependencies]\nsqlx = '0.9'", "sqlx");
        caught("server", "[dependencies]\nrusqlite = '0.39'", "rusqlite");
        caught("testkit", "[dependencies]\nsqlx = '0.9'", "sqlx");
        caught("cli", "[dev-dependencies]\nsqlx = '0.9'", "sqlx");
    }

    #[test]
    fn reqwest_stays_with_those_who_call_out() {
        for name in ["gateways", "emulator", "cli", "testkit"] {
            fine(name, "[dependencies]\nreqwest.workspace = true");
        }
        fine("server", "[dev-dependencies]\nreqwest.workspace = true");
        caught("server", "[dependencies]\nreqwest.workspace = true", "reqwest");
        caught("store", "[build-dependencies]\nreqwest = '0.13'", "reqwest");
    }

    #[test]
    fn axum_stays_with_those_who_listen() {
        for name in ["server", "emulator", "testkit"] {
            fine(name, "[dependencies]\naxum.workspace = true");
        }
        fine("gateways", "[dev-dependencies]\naxum.workspace = true");
        caught("gateways", "[dependencies]\naxum.workspace = true", "axum");
        caught("runtime", "[dependencies]\naxum.workspace = true", "axum");
        caught("runtime", "[dependencies]\nutoipa.workspace = true", "utoipa");
        caught("cli", "[dependencies]\naxum.workspace = true", "axum");
    }

    #[test]
    fn nothing_async_enters_engine() {
        for dependency in ["tokio", "tokio-util", "futures", "futures-core", "async-channel", "reqwest", "sqlx", "axum"]
        {
            caught("engine", &format!("[dependencies]\n{dependency} = '1'"), dependency);
        }
        fine("engine", "[dependencies]\ndomain.workspace = true\nserde_json = '1'\n[dev-dependencies]\ntokio = '1'");
    }

    #[test]
    fn arrows_point_down() {
        fine("cli", "[dependencies]\nserver.workspace = true\nemulator.workspace = true\ngateways.workspace = true");
        fine("server", "[dependencies]\nstore.workspace = true\nengine.workspace = true\ngateways.workspace = true");
        caught("domain", "[dependencies]\nstore.workspace = true", "store");
        caught("engine", "[dependencies]\nstore.workspace = true", "store");
        caught("store", "[dependencies]\ngateways.workspace = true", "gateways");
        caught("gateways", "[dependencies]\nserver.workspace = true", "server");
        caught("emulator", "[dependencies]\ngateways.workspace = true", "gateways");
        fine("server", "[dependencies]\nruntime.workspace = true");
        caught("runtime", "[dependencies]\nserver.workspace = true", "server");
        caught("server", "[dependencies]\nemulator.workspace = true", "emulator");
        caught("cli", "[dependencies]\nengine.workspace = true", "engine");
    }

    #[test]
    fn every_crate_takes_the_workspace_lints() {
        let own: Table = "[lints.rust]\nunsafe_code = 'deny'".parse().unwrap();
        let shared: Table = "[lints]\nworkspace = true".parse().unwrap();
        assert!(lint_problem("store", &own).is_some());
        assert!(lint_problem("store", &Table::new()).is_some());
        assert_eq!(lint_problem("store", &shared), None);
    }

    #[test]
    fn testkit_is_for_tests_only() {
        fine("server", "[dev-dependencies]\ntestkit.workspace = true");
        caught("server", "[dependencies]\ntestkit.workspace = true", "testkit");
        fine("testkit", "[dependencies]\nserver.workspace = true\nstore.workspace = true\nemulator.workspace = true");
    }

    #[test]
    fn another_name_or_table_hides_nothing() {
        caught("server", "[dependencies]\nhttp_client = { version = '1', package = 'reqwest' }", "reqwest");
        caught("server", "[dependencies]\ndatabase.workspace = true", "sqlx");
        caught("server", "[target.'cfg(unix)'.dependencies]\nreqwest = '1'", "reqwest");
        caught("domain", "[dependencies]\nwords = { path = '../store', package = 'chasqui-store' }", "store");
    }

    #[test]
    fn a_crate_without_arrows_is_caught() {
        assert_eq!(found("helpers", "").len(), 1);
    }
}
