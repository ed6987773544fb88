//! Secrets decrypt only in their own row and with their own key.

use crate::support::{NOW, World, fresh};
use domain::ids::{ProjectId, SecretId};
use store::{
    Error, Result,
    secrets::{
        self,
        SecretKind::{self, AccessToken, AgentSecret},
        Vault,
    },
    transact,
};

const PLAIN: &str = "EAAB-a-confidential-token";

fn vault() -> Vault {
    Vault::new([7; 32], "k1")
}

async fn sealed(world: &World) -> SecretId {
    let id = fresh();
    transact!(world.store, "test", tx => secrets::insert(&mut tx.scope(world.project, NOW), &vault(), id, AccessToken, PLAIN).await)
        .expect("a secret");
    id
}

async fn reveal(
    world: &World,
    vault: &Vault,
    project: ProjectId,
    id: SecretId,
    kind: SecretKind,
) -> Result<Option<String>> {
    let mut reader = world.store.read().await?;
    secrets::reveal(&mut reader.conn(), vault, project, id, kind).await
}

#[tokio::test]
async fn secret_decrypts_for_its_project_id_and_kind_only() {
    let world = World::new().await;
    let id = sealed(&world).await;
    let (other_project, other_id) = (fresh(), fresh());
    assert_eq!(reveal(&world, &vault(), world.project, id, AccessToken).await.unwrap().as_deref(), Some(PLAIN));
    assert_eq!(reveal(&world, &vault(), other_project, id, AccessToken).await.unwrap(), None);
    assert_eq!(reveal(&world, &vault(), world.project, other_id, AccessToken).await.unwrap(), None);
    assert_eq!(reveal(&world, &vault(), world.project, id, AgentSecret).await.unwrap(), None);
}

/// Write access to the database does not allow exchanging secrets.
#[tokio::test]
async fn ciphertext_moved_to_another_row_does_not_decrypt() {
    let world = World::new().await;
    let (id, other) = (sealed(&world).await, fresh());
    let other_project = fresh();
    world.add_project(other_project).await;

    world.execute("UPDATE secrets SET kind = 'agent_secret'").await;
    let moved = reveal(&world, &vault(), world.project, id, AgentSecret).await;
    assert!(matches!(moved, Err(Error::Damaged { .. })), "another kind: {moved:?}");
    world.execute("UPDATE secrets SET kind = 'whatsapp_access_token'").await;

    swap(&world, id, other).await;
    let moved = reveal(&world, &vault(), world.project, other, AccessToken).await;
    assert!(matches!(moved, Err(Error::Damaged { .. })), "another id: {moved:?}");
    swap(&world, other, id).await;

    world.execute("UPDATE secrets SET project_id = (SELECT id FROM projects ORDER BY id DESC LIMIT 1)").await;
    let moved = reveal(&world, &vault(), other_project, id, AccessToken).await;
    assert!(matches!(moved, Err(Error::Damaged { .. })), "another project: {moved:?}");
}

async fn swap(world: &World, from: SecretId, to: SecretId) {
    const SQL: &str = "UPDATE secrets SET id = $2 WHERE id = $1";
    transact!(world.store, "test", tx => {
        match &mut **tx {
            store::Conn::Sqlite(c) => c.execute(&SQL.replace('$', "?"), [from.uuid(), to.uuid()]).map(drop)?,
            store::Conn::Postgres(c) => sqlx::query(SQL).bind(from.uuid()).bind(to.uuid()).execute(&mut **c).await.map(drop)?,
        }
        store::Result::Ok(())
    })
    .expect("a moved row");
}

#[tokio::test]
async fn other_master_key_decrypts_nothing() {
    let world = World::new().await;
    let id = sealed(&world).await;
    for other in [Vault::new([8; 32], "k1"), Vault::new([7; 32], "k2")] {
        let opened = reveal(&world, &other, world.project, id, AccessToken).await;
        assert!(matches!(opened, Err(Error::Damaged { .. })), "{opened:?}");
    }
}

#[tokio::test]
async fn equal_secrets_have_different_ciphertexts() {
    let world = World::new().await;
    sealed(&world).await;
    sealed(&world).await;
    assert_eq!(world.number("SELECT count(DISTINCT ciphertext) FROM secrets").await, 2);
    assert_eq!(world.number("SELECT count(DISTINCT nonce) + count(DISTINCT wrap_nonce) FROM secrets").await, 4);
}

#[tokio::test]
async fn plain_text_is_not_on_disk() {
    let world = World::on(testkit::database::TestDatabase::sqlite().await).await;
    sealed(&world).await;
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(world.database.folder().unwrap()).unwrap() {
        bytes.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    let found = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(found("whatsapp_access_token"), "the row is on the disk");
    assert!(!found(PLAIN));
}
