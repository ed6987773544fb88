//! A second node beside a test's application.

use super::TestApp;
use server::{App, Config};
use tempfile::TempDir;

/// A second node on the database of a [`TestApp`].
pub struct AnotherNode {
    pub app: App,
    _data_dir: TempDir,
}

impl TestApp {
    /// Starts another node on the same database, with changed settings. PostgreSQL only.
    pub async fn another_node(&self, change: impl FnOnce(&mut Config)) -> AnotherNode {
        let data_dir = tempfile::tempdir().expect("a temporary folder");
        // All nodes of a database have the same key.
        std::fs::copy(self.config.data_dir.join("master.key"), data_dir.path().join("master.key")).expect("the key");
        let mut config = self.config.clone();
        config.data_dir = data_dir.path().to_owned();
        change(&mut config);
        let app = server::build(config).await.expect("another node starts");
        AnotherNode { app, _data_dir: data_dir }
    }
}
