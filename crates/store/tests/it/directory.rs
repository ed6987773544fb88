//! The directory: owners of numbers, keys and codes.

use crate::support::{NOW, NUMBER, World, fresh, fresh_uuid};
use domain::{
    api_key,
    conversation::NumberProof,
    ids::{SecretId, WhatsappConfigId},
};
use store::{
    Error,
    api_keys::{self, ApiKeyRow},
    secrets::{self, SecretKind},
    transact,
    unscoped::{self, DirectoryKind, Pointer},
    whatsapp_configs::{self, WhatsappConfigRow},
};

pub fn config(id: WhatsappConfigId, token: Option<SecretId>, number: &str, kind: &str) -> WhatsappConfigRow {
    WhatsappConfigRow {
        id,
        customer_id: None,
        name: number.into(),
        phone_number_id: number.into(),
        waba_id: "waba".into(),
        display_phone_number: None,
        access_token_id: token,
        webhook_verify_token: "check-me".into(),
        webhook_destination_url: None,
        webhook_verified_at: None,
        kind: kind.parse().expect("a kind"),
        inbound_processing_enabled: true,
        calls_enabled: false,
        created_at: NOW,
        updated_at: NOW,
        proof: NumberProof::Assumed,
        proof_at: None,
        proof_failure: None,
    }
}

#[tokio::test]
async fn directory_entry_is_removed_by_its_target_only() {
    let world = World::new().await;
    let mine = Pointer { project_id: world.project, object_id: fresh_uuid() };
    let theirs = Pointer { project_id: fresh(), object_id: fresh_uuid() };
    let kind = DirectoryKind::SandboxPhone;
    transact!(world.store, "test", tx => {
        unscoped::point(tx, kind, "15550001", mine.project_id, mine.object_id).await?;
        unscoped::point(tx, kind, "15550001", theirs.project_id, theirs.object_id).await?;
        unscoped::forget(tx, kind, "15550001", mine).await
    })
    .unwrap();
    let mut reader = world.store.read().await.unwrap();
    assert_eq!(
        unscoped::look_up(&mut reader.conn(), kind, "15550001").await.unwrap(),
        Some(theirs),
        "the latest owns it"
    );
    let other_kind = unscoped::look_up(&mut reader.conn(), DirectoryKind::SandboxCode, "15550001").await.unwrap();
    assert_eq!(other_kind, None);

    transact!(world.store, "test", tx => unscoped::forget(tx, kind, "15550001", theirs).await).unwrap();
    assert_eq!(unscoped::look_up(&mut reader.conn(), kind, "15550001").await.unwrap(), None);
}

#[tokio::test]
async fn key_is_found_by_lookup_part_until_revoked() {
    let world = World::new().await;
    let random: Vec<u8> = (0..=255).collect();
    let (id, key, maker) = (fresh(), api_key::from_random(&random).unwrap(), fresh());
    let made = Some(maker);
    transact!(world.store, "test", tx => api_keys::insert(tx, world.project, id, &key, made, NOW).await).unwrap();

    let mut reader = world.store.read().await.unwrap();
    let pointer = unscoped::look_up(&mut reader.conn(), DirectoryKind::ApiKey, &key.lookup).await.unwrap();
    assert_eq!(pointer, Some(Pointer { project_id: world.project, object_id: id.uuid() }));
    let stored =
        ApiKeyRow { hash: key.hash.to_vec(), user_id: Some(maker), role: None, expires_at: None, archived_at: None };
    assert_eq!(api_keys::find(&mut reader.conn(), world.project, id).await.unwrap(), Some(stored));

    world.execute("UPDATE api_keys SET revoked_at = 1").await;
    assert_eq!(api_keys::find(&mut reader.conn(), world.project, id).await.unwrap(), None);
}

#[tokio::test]
async fn number_routes_to_its_config_and_oldest_production_config_is_default() {
    let world = World::new().await;
    let vault = secrets::Vault::new([7; 32], "k1");
    let mut ids = Vec::new();
    for (number, kind) in [("sandbox", "sandbox"), (NUMBER, "production"), ("second", "production")] {
        let (token, id) = (fresh(), fresh());
        let row = config(id, Some(token), number, kind);
        transact!(world.store, "test", tx => {
            secrets::insert(&mut tx.scope(world.project, NOW), &vault, token, SecretKind::AccessToken, "EAAB").await?;
            whatsapp_configs::insert(tx, world.project, &row).await
        })
        .unwrap();
        ids.push(id);
    }
    let mut reader = world.store.read().await.unwrap();
    let pointer = unscoped::look_up(&mut reader.conn(), DirectoryKind::Number, NUMBER).await.unwrap();
    assert_eq!(pointer, Some(Pointer { project_id: world.project, object_id: ids[1].uuid() }));
    let oldest = whatsapp_configs::oldest(&mut reader.conn(), world.project).await.unwrap().unwrap();
    assert_eq!(oldest.id, ids[1]);
    let found = whatsapp_configs::find(&mut reader.conn(), world.project, ids[0]).await.unwrap().unwrap();
    assert_eq!(found.phone_number_id, "sandbox");
}

#[tokio::test]
async fn number_is_freed_when_its_config_is_deleted_or_renumbered() {
    let world = World::new().await;
    let other = fresh();
    world.add_project(other).await;
    let (mine, theirs) = (config(fresh(), None, NUMBER, "production"), config(fresh(), None, NUMBER, "production"));
    let insert = async |project, row: &WhatsappConfigRow| transact!(world.store, "test", tx => whatsapp_configs::insert(tx, project, row).await);
    insert(world.project, &mine).await.unwrap();
    assert!(matches!(insert(other, &theirs).await, Err(Error::Conflict(_))));
    let again = config(fresh(), None, NUMBER, "production");
    assert!(matches!(insert(world.project, &again).await, Err(Error::Conflict(_))), "the same project too");

    let moved = WhatsappConfigRow { phone_number_id: "another".into(), ..mine.clone() };
    transact!(world.store, "test", tx => whatsapp_configs::update(tx, world.project, NUMBER, &moved).await).unwrap();
    insert(other, &theirs).await.unwrap();
    let back =
        transact!(world.store, "test", tx => whatsapp_configs::update(tx, world.project, "another", &mine).await);
    assert!(matches!(back, Err(Error::Conflict(_))));

    transact!(world.store, "test", tx => whatsapp_configs::delete(tx, other, &theirs).await).unwrap();
    transact!(world.store, "test", tx => whatsapp_configs::update(tx, world.project, "another", &mine).await).unwrap();
    let mut reader = world.store.read().await.unwrap();
    let owner = unscoped::look_up(&mut reader.conn(), DirectoryKind::Number, NUMBER).await.unwrap();
    assert_eq!(owner.map(|pointer| pointer.project_id), Some(world.project));
}
