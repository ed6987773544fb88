//! Agents and their snapshots.

use crate::support::{NOW, World, fresh, later};
use domain::ids::AgentId;
use store::{
    agents::{self, AgentRow, WebhooksInTests},
    transact,
};

async fn stored(world: &World, name: &str, seconds: i64) -> AgentRow {
    let id: AgentId = fresh();
    let snapshot_id = world.snapshot(id, name).await;
    let row = AgentRow {
        id,
        name: name.into(),
        description: None,
        system_prompt: Some("be brief".into()),
        message_debounce_seconds: 2,
        agent_version: 2,
        llm_config: None,
        limits: None,
        enabled_tools: None,
        webhooks_in_tests: None,
        graph: "{}".into(),
        snapshot_id,
        version: 1,
        created_at: later(seconds),
        updated_at: later(seconds),
    };
    transact!(world.store, "test", tx => agents::insert(tx, world.project, &row).await).expect("an agent");
    row
}

#[tokio::test]
async fn update_raises_the_version_and_keeps_other_fields() {
    let world = World::new().await;
    let mut row = stored(&world, "Front desk", 0).await;
    row.name = "Reception".into();
    row.llm_config = Some("{\"temperature\":0}".into());
    row.limits = Some("{\"messages\":2}".into());
    row.enabled_tools = Some("[\"webhook_request\"]".into());
    row.webhooks_in_tests = Some(WebhooksInTests::MockOnly);
    row.updated_at = later(60);
    transact!(world.store, "test", tx => agents::update(tx, world.project, &row).await).unwrap();

    let mut reader = world.store.read().await.unwrap();
    let found = agents::find(&mut reader.conn(), world.project, row.id).await.unwrap().unwrap();
    row.version = 2;
    assert_eq!(format!("{found:?}"), format!("{row:?}"));
}

#[tokio::test]
async fn agents_are_listed_newest_first_with_total() {
    let world = World::new().await;
    for (name, seconds) in [("second", 2), ("first", 1), ("third", 3), ("third too", 3)] {
        stored(&world, name, seconds).await;
    }
    let mut reader = world.store.read().await.unwrap();
    let (rows, total) = agents::list(&mut reader.conn(), world.project, 3, 0).await.unwrap();
    let names: Vec<_> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!((names.as_slice(), total), (["third too", "third", "second"].as_slice(), 4));
    let (rest, _) = agents::list(&mut reader.conn(), world.project, 3, 3).await.unwrap();
    assert_eq!(rest.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["first"]);
}

#[tokio::test]
async fn equal_agent_content_reuses_the_snapshot() {
    let world = World::new().await;
    let (one, other) = (fresh(), fresh());
    let first = world.snapshot(one, "a").await;
    assert_ne!(world.snapshot(one, "b").await, first);
    assert_eq!(world.snapshot(one, "a").await, first);
    assert_ne!(world.snapshot(other, "a").await, first, "the snapshot of another agent");

    let mut reader = world.store.read().await.unwrap();
    assert_eq!(agents::snapshot(&mut reader.conn(), world.project, first).await.unwrap().as_deref(), Some("a"));
}

#[tokio::test]
async fn agent_of_an_unknown_project_is_a_conflict() {
    let world = World::new().await;
    let mut row = stored(&world, "x", 0).await;
    row.id = fresh();
    let unknown = fresh();
    let refused = transact!(world.store, "test", tx => agents::insert(tx, unknown, &row).await);
    assert!(matches!(refused, Err(store::Error::Conflict(_))), "{refused:?}");
    assert_eq!(row.created_at, NOW);
}

#[tokio::test]
async fn metadata_and_notes_raise_the_contact_context_version() {
    use store::{contact_notes, contact_notes::ContactNoteRow, contacts};
    let world = World::new().await;
    let agent = stored(&world, "Desk", 0).await;
    let contact = world.contact().await;
    let version = async || {
        let pinned =
            transact!(world.store, "test", tx => agents::snapshot_for(tx, world.project, agent.id, contact).await);
        let (snapshot, version, _) = pinned.unwrap().unwrap();
        assert_eq!(snapshot, agent.snapshot_id);
        version
    };
    assert_eq!(version().await, 0);
    let mut note = ContactNoteRow {
        id: fresh(),
        name: None,
        content: "Pays late".into(),
        metadata: "{}".into(),
        author: None,
        created_at: NOW,
        updated_at: NOW,
    };
    transact!(world.store, "test", tx => contact_notes::insert(tx, world.project, contact, &note).await).unwrap();
    assert_eq!(version().await, 1);
    note.content = "Pays".into();
    transact!(world.store, "test", tx => contact_notes::update(tx, world.project, contact, &note).await).unwrap();
    assert_eq!(version().await, 2);
    transact!(world.store, "test", tx => contact_notes::delete(tx, world.project, contact, note.id).await).unwrap();
    assert_eq!(version().await, 3);
    transact!(world.store, "test", tx => {
        let mut row = contacts::lock(tx, world.project, contact).await?.expect("a contact");
        row.metadata = "{\"vip\":true}".into();
        contacts::update(tx, world.project, &row).await
    })
    .unwrap();
    assert_eq!(version().await, 4);
}
