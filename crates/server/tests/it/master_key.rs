//! A node with another master key could neither verify statuses nor decrypt secrets of the other
//! nodes: it is refused before it writes anything.

use crate::fault_isolation::config_on;
use secrecy::SecretString;
use server::doctor;
use std::{os::unix::fs::PermissionsExt as _, path::Path};
use store::{DatabaseUrl, Store, platform_settings, transact};
use testkit::database::TestDatabase;

const FINGERPRINT: &str = "master_key_fingerprint";

/// Both nodes run at once on PostgreSQL; SQLite takes one at a time.
async fn used_database(folder: &Path) -> (TestDatabase, Option<server::App>) {
    let database = TestDatabase::new().await;
    let first = server::build(config_on(&database.url, folder)).await.unwrap();
    if let DatabaseUrl::Postgres(_) = &database.url {
        return (database, Some(first));
    }
    first.shutdown().await;
    (database, None)
}

async fn refusal(config: server::Config) -> String {
    match server::build(config).await {
        Ok(_) => panic!("the node started"),
        Err(error) => error.to_string(),
    }
}

fn write_key(folder: &Path, mode: u32) {
    let path = folder.join("master.key");
    std::fs::write(&path, "0709".repeat(16)).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
}

async fn key_check(config: &server::Config) -> doctor::Check {
    doctor::check(config).await.into_iter().find(|check| check.name == "master key").unwrap()
}

#[tokio::test]
async fn node_with_another_master_key_is_refused_and_told_what_to_do() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (database, first) = used_database(one.path()).await;
    let fits = key_check(&config_on(&database.url, one.path())).await;
    assert!(fits.ok && fits.detail.contains("fits the database"), "{fits:?}");

    // Without a key: none is invented.
    let second = config_on(&database.url, two.path());
    let why = refusal(second.clone()).await;
    let key = two.path().join("master.key");
    let told = why.contains("another master key") && why.contains("Set CHASQUI_MASTER_KEY");
    assert!(told && why.contains(key.to_str().unwrap()), "{why}");
    assert!(!key.exists(), "a new key would hide that the right one is missing");
    let missing = key_check(&second).await;
    assert!(!missing.ok && missing.detail.contains("there is no"), "{missing:?}");

    // With another key, from the file and from the setting.
    write_key(two.path(), 0o600);
    let why = refusal(second.clone()).await;
    assert!(why.contains(&format!("{} has ", key.display())), "{why}");
    let mut configured = second.clone();
    configured.master_key = Some(SecretString::from("080a".repeat(16)));
    let why = refusal(configured).await;
    assert!(why.contains("CHASQUI_MASTER_KEY has "), "{why}");
    let other = key_check(&second).await;
    assert!(!other.ok && other.fix.is_some_and(|fix| fix.contains("master.key")), "{}", other.detail);

    // With the right one.
    std::fs::copy(one.path().join("master.key"), &key).unwrap();
    let second = server::build(second).await.unwrap();
    second.shutdown().await;
    if let Some(first) = first {
        first.shutdown().await;
    }
}

/// A database of a version before the fingerprint.
#[tokio::test]
async fn database_without_fingerprint_is_tried_with_one_of_its_secrets() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let database = TestDatabase::new().await;
    let app = server::build(config_on(&database.url, one.path())).await.unwrap();
    let (ctx, project) = (app.context().clone(), app.operator().create_project("Old").await.unwrap());
    transact!(ctx.store, "test", tx => {
        platform_settings::remove(tx, FINGERPRINT).await?;
        runtime::secrets::set(&ctx, tx, project, "k", "hidden").await
    })
    .unwrap();
    app.shutdown().await;

    let why = refusal(config_on(&database.url, two.path())).await;
    assert!(why.contains("another master key"), "{why}");
    assert!(!two.path().join("master.key").exists());
    write_key(two.path(), 0o600);
    let why = refusal(config_on(&database.url, two.path())).await;
    assert!(why.contains("another master key"), "{why}");
    assert!(stored(&database.url).await.is_none(), "a refused node writes nothing");

    let app = server::build(config_on(&database.url, one.path())).await.unwrap();
    app.shutdown().await;
    assert!(stored(&database.url).await.is_some(), "the right key's fingerprint is stored");
}

async fn stored(url: &DatabaseUrl) -> Option<Vec<u8>> {
    let store = Store::open(url).await.unwrap();
    let mut reader = store.read().await.unwrap();
    platform_settings::find(&mut reader.conn(), FINGERPRINT).await.unwrap()
}

#[tokio::test]
async fn key_file_that_others_can_read_is_refused() {
    let database = TestDatabase::new().await;
    for (mode, ok) in [(0o644, false), (0o640, false), (0o604, false), (0o600, true), (0o400, true)] {
        let folder = tempfile::tempdir().unwrap();
        write_key(folder.path(), mode);
        let config = config_on(&database.url, folder.path());
        match server::build(config).await {
            Ok(app) => {
                assert!(ok, "{mode:o}");
                app.shutdown().await;
            }
            Err(error) => assert!(!ok && error.to_string().contains("chmod 600"), "{mode:o}: {error}"),
        }
    }
}
