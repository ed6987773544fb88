//! A PostgreSQL server for the tests: the one in `TEST_DATABASE_URL`, or a throwaway cluster.

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::thread;

use anyhow::{Result, anyhow, bail};

use crate::cluster::{Cluster, Durability};
use crate::install::programs;
use crate::process::output_of;
use crate::usage::USAGE;

/// `cargo xtask postgres`: a throwaway cluster to run single tests against.
pub fn run(args: &[String]) -> Result<ExitCode> {
    if let Some(unknown) = args.first() {
        bail!("unknown argument `{unknown}` for postgres\n\n{USAGE}");
    }
    let server = Postgres::start(false, Durability::None)?;
    println!("export TEST_DATABASE_URL={}\nCtrl-C ends it", server.url());
    loop {
        thread::park();
    }
}

pub struct Postgres {
    url: String,
    psql: PathBuf,
    _cluster: Option<Cluster>,
}

impl Postgres {
    /// Takes `TEST_DATABASE_URL` as it is, or starts a throwaway cluster. `install` allows apt-get
    /// to bring what is missing.
    pub fn start(install: bool, durability: Durability) -> Result<Self> {
        if let Some(url) = std::env::var("TEST_DATABASE_URL").ok().filter(|url| !url.is_empty()) {
            let psql = programs(&["psql"], install)?.join("psql");
            let server = Self { url, psql, _cluster: None };
            server.execute("SELECT 1")?;
            println!("using the server in TEST_DATABASE_URL");
            return Ok(server);
        }
        let bin = programs(&["initdb", "pg_ctl", "postgres", "psql"], install)?;
        let psql = bin.join("psql");
        let cluster = Cluster::start(&bin, durability)?;
        println!("throwaway cluster {} on port {}", cluster.folder.display(), cluster.port);
        let url = format!("postgres://postgres@127.0.0.1:{}/postgres", cluster.port);
        Ok(Self { url, psql, _cluster: Some(cluster) })
    }

    /// Tests create databases of their own from this one.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The server's version.
    pub fn version(&self) -> Result<String> {
        Ok(self.execute("SHOW server_version")?.trim().into())
    }

    /// An empty database, dropped with the value. Two runs on one server do not meet: our process
    /// id is in the name.
    pub fn create_database(&self, prefix: &str) -> Result<Database<'_>> {
        let name = format!("{prefix}_{}", std::process::id());
        self.execute(&format!("CREATE DATABASE {name}"))?;
        Ok(Database { server: self, url: url_of_database(&self.url, &name)?, name })
    }

    /// An error does not show the address, which may hold a password.
    fn execute(&self, sql: &str) -> Result<String> {
        let mut psql = Command::new(&self.psql);
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]);
        psql.arg(format!("--dbname={}", self.url)).args(["--command", sql]);
        output_of(&mut psql).map_err(|error| anyhow!(format!("{error:#}").replace(&self.url, "$TEST_DATABASE_URL")))
    }
}

pub struct Database<'a> {
    server: &'a Postgres,
    name: String,
    url: String,
}

impl Database<'_> {
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        if let Err(error) = self.server.execute(&sql) {
            eprintln!("warning: {error:#}");
        }
    }
}

/// The same server and parameters, another database.
fn url_of_database(url: &str, name: &str) -> Result<String> {
    let (address, parameters) = match url.split_once('?') {
        Some((address, parameters)) => (address, format!("?{parameters}")),
        None => (url, String::new()),
    };
    let Some((scheme, rest)) = address.split_once("://") else {
        bail!("TEST_DATABASE_URL must look like postgres://user@host:port/postgres")
    };
    let server = rest.split_once('/').map_or(rest, |(server, _)| server);
    Ok(format!("{scheme}://{server}/{name}{parameters}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn database_changes_and_server_and_parameters_stay() {
        let cases = [
            ("postgres://postgres@127.0.0.1:5433/postgres", "postgres://postgres@127.0.0.1:5433/other"),
            ("postgresql://u:p@h/db?sslmode=disable", "postgresql://u:p@h/other?sslmode=disable"),
            ("postgres://h:1", "postgres://h:1/other"),
        ];
        for (url, expected) in cases {
            assert_eq!(url_of_database(url, "other").unwrap(), expected);
        }
        assert!(url_of_database("127.0.0.1", "other").is_err());
    }
}
