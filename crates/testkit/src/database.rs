//! Databases of tests: a template is migrated once and copied for each test.
//!
//! `TEST_DATABASE_URL` names a PostgreSQL server whose user may create databases; without it tests
//! use SQLite files. All test processes of a server share the PostgreSQL template, so it is built
//! under another name and renamed when it is complete. A process whose rename fails uses the
//! existing template.

use domain::ids::ProjectId;
use std::{
    collections::BTreeMap,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use store::{DatabaseUrl, Store, admin, tables};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// Databases of killed processes are removed after this time.
const ABANDONED_AFTER: Duration = Duration::from_secs(60 * 60);

const FILE: &str = "chasqui.db";

/// A migrated, empty database; dropping it removes it.
pub struct TestDatabase {
    pub url: DatabaseUrl,
    home: Home,
}

enum Home {
    Folder(TempDir),
    Server { server: String, name: String },
}

impl TestDatabase {
    /// Creates a database on the server in `TEST_DATABASE_URL`, else an SQLite file.
    pub async fn new() -> Self {
        match server() {
            Some(server) => Self::on(server).await,
            None => Self::sqlite().await,
        }
    }

    pub async fn sqlite() -> Self {
        static TEMPLATE: OnceCell<Vec<u8>> = OnceCell::const_new();
        let template = TEMPLATE.get_or_init(sqlite_template).await;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(FILE);
        std::fs::write(&path, template).expect("a copy of the template");
        Self { url: DatabaseUrl::Sqlite(path), home: Home::Folder(folder) }
    }

    /// Creates a PostgreSQL database; panics without a server.
    pub async fn postgres() -> Self {
        let server = server().expect(
            "this test needs PostgreSQL: set TEST_DATABASE_URL=postgres://user@host:port/postgres, or run `cargo xtask test`",
        );
        Self::on(server).await
    }

    /// Creates a database without tables on the engine of [`Self::new`], for tests of migrations.
    pub async fn unmigrated() -> Self {
        let Some(server) = server() else {
            let folder = tempfile::tempdir().expect("a temporary folder");
            return Self { url: DatabaseUrl::Sqlite(folder.path().join(FILE)), home: Home::Folder(folder) };
        };
        Self::copy(server, None).await
    }

    pub fn has_postgres() -> bool {
        server().is_some()
    }

    /// Opens the database. Each call has its own connections, like a separate node.
    pub async fn open(&self) -> Store {
        Store::open(&self.url).await.expect("the test's database opens")
    }

    /// Folder of an SQLite file.
    pub fn folder(&self) -> Option<&Path> {
        match &self.home {
            Home::Folder(folder) => Some(folder.path()),
            Home::Server { .. } => None,
        }
    }

    async fn on(server: String) -> Self {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        let template = TEMPLATE.get_or_init(|| postgres_template(&server)).await;
        Self::copy(server, Some(template)).await
    }

    async fn copy(server: String, template: Option<&str>) -> Self {
        let name = fresh_name();
        admin::create_database(&server, &name, template)
            .await
            .expect("the user in TEST_DATABASE_URL may create databases");
        Self { url: DatabaseUrl::Postgres(url_of(&server, &name)), home: Home::Server { server, name } }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Home::Server { server, name } = &self.home else { return };
        let (server, name) = (server.clone(), name.clone());
        // On a thread, because drop cannot await and the test's runtime may be shutting down. A
        // later process removes what fails here.
        let dropping = std::thread::spawn(move || {
            if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
                let _ = runtime.block_on(admin::drop_database(&server, &name));
            }
        });
        let _ = dropping.join();
    }
}

/// Number of a project's rows in every table that has some. The address is as operators write it.
pub async fn rows_of(address: &str, project: ProjectId) -> BTreeMap<String, usize> {
    let store = Store::open(&DatabaseUrl::parse(address).expect("an address")).await.expect("the database opens");
    let rows = tables::rows_of(&store, project).await.expect("the rows");
    store.close().await;
    rows.into_iter().map(|(table, rows)| (table, rows.len())).filter(|(_, rows)| *rows > 0).collect()
}

fn server() -> Option<String> {
    std::env::var("TEST_DATABASE_URL").ok().filter(|url| !url.is_empty())
}

/// Bytes of a migrated file. Closing checkpoints the write-ahead log, so that the file is complete.
async fn sqlite_template() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("template.db");
    let store = Store::open(&DatabaseUrl::Sqlite(path.clone())).await.expect("a new file opens");
    store.migrate().await.expect("the migrations run on SQLite");
    store.close().await;
    let log = std::fs::metadata(folder.path().join("template.db-wal")).map_or(0, |log| log.len());
    assert_eq!(log, 0, "the write-ahead log was not checkpointed into the template");
    std::fs::read(path).expect("the template")
}

/// Name of the template; creates it if it is missing.
async fn postgres_template(server: &str) -> String {
    let template = format!("chasqui_template_{}", admin::schema_name());
    let databases = admin::databases(server).await.expect("TEST_DATABASE_URL names a server that answers");
    for name in databases.iter().filter(|name| is_abandoned(name)) {
        // Another process may remove it at the same time.
        let _ = admin::drop_database(server, name).await;
    }
    if databases.contains(&template) {
        return template;
    }
    let draft = fresh_name();
    admin::create_database(server, &draft, None).await.expect("the user in TEST_DATABASE_URL may create databases");
    let store = Store::open(&DatabaseUrl::Postgres(url_of(server, &draft))).await.expect("a new database opens");
    store.migrate().await.expect("the migrations run on PostgreSQL");
    store.close().await;
    match admin::rename_database(server, &draft, &template).await {
        Ok(()) => {}
        Err(store::Error::Conflict(_)) => {
            admin::drop_database(server, &draft).await.expect("the draft can be dropped");
        }
        Err(error) => panic!("the template cannot be renamed: {error}"),
    }
    template
}

/// Unique name with the creation time, which identifies abandoned databases.
fn fresh_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let (count, process) = (COUNT.fetch_add(1, Ordering::Relaxed), std::process::id());
    format!("chasqui_test_{}_{process}_{count}", seconds_now())
}

fn is_abandoned(name: &str) -> bool {
    let made = name.strip_prefix("chasqui_test_").and_then(|rest| rest.split('_').next()?.parse::<u64>().ok());
    made.is_some_and(|made| made + ABANDONED_AFTER.as_secs() < seconds_now())
}

fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Replaces the database in a server URL.
fn url_of(server: &str, name: &str) -> String {
    let (address, parameters) = server.split_once('?').map_or((server, None), |(address, rest)| (address, Some(rest)));
    let host_at = address.find("://").map_or(0, |at| at + 3);
    let end = address[host_at..].find('/').map_or(address.len(), |at| host_at + at);
    let parameters = parameters.map_or(String::new(), |rest| format!("?{rest}"));
    format!("{}/{name}{parameters}", &address[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_of_keeps_server_and_parameters() {
        assert_eq!(url_of("postgres://u:p@h:5433/postgres", "other"), "postgres://u:p@h:5433/other");
        assert_eq!(url_of("postgresql://h/db?sslmode=disable", "other"), "postgresql://h/other?sslmode=disable");
        assert_eq!(url_of("postgres://h:1", "other"), "postgres://h:1/other");
    }

    #[test]
    fn only_old_test_databases_are_abandoned() {
        assert!(is_abandoned("chasqui_test_1700000000_1_1"));
        for kept in
            [fresh_name().as_str(), "chasqui_template_0123456789abcdef", "postgres", "chasqui_test_x", "chasqui_test_"]
        {
            assert!(!is_abandoned(kept), "{kept}");
        }
    }
}
