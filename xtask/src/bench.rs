//! `cargo xtask bench`: the real server under load on this machine, with the facts needed to judge
//! the figures.
//!
//! The load generator is the binary `load` of testkit; it starts the server itself, because it
//! plays Meta and the model around it. Here are the builds, the database with its flushes switched
//! on, and the machine. Nothing fails because it is slow: a benchmark is not a test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use toml::Table;

use crate::bench_engine;
use crate::cluster::Durability;
use crate::postgres::Postgres;
use crate::process::{cargo, output_of, root, succeed, target_dir};
use crate::usage::USAGE;

#[derive(Debug, PartialEq, Eq)]
struct Options {
    load: &'static str,
    seconds: u64,
    postgres: bool,
    /// Of the larger project, for `api`; messages for `deletion`.
    rows: Option<u64>,
}

impl Options {
    fn parse(args: &[String]) -> Result<Self> {
        let mut words = args.iter().map(String::as_str);
        let load = match words.next() {
            Some("turns") => "turns",
            Some("streams") => "streams",
            Some("hooks") => "hooks",
            Some("ingest") => "ingest",
            Some("api") => "api",
            Some("bombs") => "bombs",
            Some("deletion") => "deletion",
            other => bail!(
                "bench turns, streams, hooks, ingest, api, bombs, deletion or engine, not `{}`\n\n{USAGE}",
                other.unwrap_or_default()
            ),
        };
        let mut options = Self { load, seconds: 5, postgres: false, rows: None };
        while let Some(flag) = words.next() {
            let value = words.next().with_context(|| format!("`{flag}` needs a value\n\n{USAGE}"))?;
            match (flag, value) {
                ("--seconds", value) => options.seconds = value.parse().context("--seconds is a whole number")?,
                ("--rows", value) if matches!(load, "api" | "deletion") => {
                    options.rows = Some(value.parse().context("--rows is a whole number")?);
                }
                ("--database", "sqlite") => options.postgres = false,
                ("--database", "postgres") => options.postgres = true,
                _ => bail!("unknown argument `{flag} {value}` for bench\n\n{USAGE}"),
            }
        }
        Ok(options)
    }

    /// Also the name of the file below `target/bench`.
    fn name(&self) -> String {
        format!("{}-{}", self.load, if self.postgres { "postgres" } else { "sqlite" })
    }
}

/// Builds, measures, prints, and leaves the figures in `target/bench/<load>-<database>.json`.
pub fn run(args: &[String]) -> Result<ExitCode> {
    if matches!(args, [only] if only == "engine") {
        bench_engine::run()?;
        return Ok(ExitCode::SUCCESS);
    }
    let options = Options::parse(args)?;
    let build = ["build", "--release", "-p", "chasqui", "-p", "chasqui-testkit", "--bin", "chasqui", "--bin", "load"];
    succeed(cargo().args(build))?;
    let folder = target_dir().join("bench");
    let data = Scratch::new(folder.join(format!("data-{}", std::process::id())))?;
    let postgres = options.postgres.then(|| Postgres::start(false, Durability::Full)).transpose()?;
    let create = |name: &str| postgres.as_ref().map(|server| server.create_database(name)).transpose();
    let (database, small) = (create("chasqui_bench")?, create("chasqui_bench_small")?);

    let mut machine = machine(&data.0)?;
    if let Some(server) = &postgres {
        machine["postgresql"] = json!(server.version()?);
    }
    let figures = data.0.join("figures.json");
    let mut load = Command::new(target_dir().join("release/load"));
    load.arg(options.load).args(["--seconds", &options.seconds.to_string()]);
    load.arg("--server").arg(target_dir().join("release/chasqui"));
    load.arg("--data-dir").arg(&data.0).arg("--json").arg(&figures);
    if let Some(rows) = options.rows {
        load.args(["--rows", &rows.to_string()]);
    }
    if let Some(database) = &database {
        load.args(["--database", database.url()]);
    }
    if let Some(small) = small.as_ref().filter(|_| options.load == "api") {
        load.args(["--small-database", small.url()]);
    }
    println!("{}: {machine}", options.name());
    succeed(&mut load)?;
    machine["load_after"] = json!(load_average()?);
    println!("load average at the end: {}", machine["load_after"]);

    let figures: Value = serde_json::from_str(&fs::read_to_string(&figures)?).context("the figures")?;
    let report = json!({"name": options.name(), "seconds": options.seconds, "machine": machine, "figures": figures});
    let file = folder.join(format!("{}.json", options.name()));
    fs::write(&file, serde_json::to_string_pretty(&report)?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    println!("{}", file.display());
    Ok(ExitCode::SUCCESS)
}

/// A data folder on the disk that the sources are on; `/tmp` may be memory, where a flush costs
/// nothing.
struct Scratch(PathBuf);

impl Scratch {
    fn new(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("warning: cannot remove {}: {error}", self.0.display());
        }
    }
}

/// Properties of the machine that the figures depend on, without names of hosts or folders.
fn machine(data: &Path) -> Result<Value> {
    let cpus = fs::read_to_string("/proc/cpuinfo").context("this needs Linux")?;
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':')).map_or("", |(_, it)| it);
    let filesystem = output_of(Command::new("stat").args(["-f", "-c", "%T"]).arg(data))?;
    let commit = output_of(Command::new("git").args(["describe", "--always", "--dirty"]).current_dir(root()));
    Ok(json!({
        "cores": std::thread::available_parallelism()?.get(),
        "processor": model.trim(),
        "kernel": fs::read_to_string("/proc/sys/kernel/osrelease")?.trim(),
        "filesystem": filesystem.trim(),
        "load_before": load_average()?,
        "commit": commit.unwrap_or_default().trim(),
        "rustc": output_of(Command::new("rustc").arg("--version"))?.trim(),
        "sqlx": locked_version("sqlx")?,
        "rusqlite": locked_version("rusqlite")?,
        "libsqlite3-sys": locked_version("libsqlite3-sys")?,
    }))
}

/// Of the last minute.
fn load_average() -> Result<String> {
    Ok(fs::read_to_string("/proc/loadavg")?.split(' ').next().unwrap_or_default().into())
}

fn locked_version(package: &str) -> Result<String> {
    let lock: Table = fs::read_to_string(root().join("Cargo.lock"))?.parse().context("Cargo.lock")?;
    let packages = lock.get("package").and_then(toml::Value::as_array).into_iter().flatten();
    let mut named = packages.filter(|entry| entry.get("name").and_then(toml::Value::as_str) == Some(package));
    let version = named.next().and_then(|entry| entry.get("version")?.as_str()).unwrap_or_default();
    Ok(version.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Options> {
        Options::parse(&text.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn load_is_named_and_has_options() {
        assert_eq!(parse("turns").unwrap(), Options { load: "turns", seconds: 5, postgres: false, rows: None });
        let options = parse("ingest --database postgres --seconds 20").unwrap();
        assert_eq!(options, Options { load: "ingest", seconds: 20, postgres: true, rows: None });
        assert_eq!(options.name(), "ingest-postgres");
        assert_eq!(parse("api --rows 100000").unwrap().rows, Some(100_000));
        for wrong in ["", "walks", "turns --fast", "turns --database mysql", "turns --seconds many", "turns --rows 5"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn versions_are_read_from_the_lock_file() {
        assert!(!locked_version("sqlx").unwrap().is_empty());
    }
}
