//! Deletion of all rows of a project.

use crate::support::{NOW, World, fresh, fresh_uuid};
use domain::{ids::ProjectId, message::Direction};
use std::collections::BTreeSet;
use store::{Store, events, project_deletion, projects, tables, transact};

/// A new table with a project needs a line in `store/src/project_deletion.rs`, or its rows stay.
#[tokio::test]
async fn every_table_with_a_project_is_deleted_from() {
    let world = World::new().await;
    let schema = tables::rows_of(&world.store, world.project).await.unwrap();
    let schema: BTreeSet<&str> = schema.keys().map(String::as_str).filter(|table| *table != "projects").collect();
    let listed = project_deletion::tables();
    assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), schema);
    assert_eq!(listed.len(), schema.len(), "a table is listed twice");
    assert!(schema.len() > 40);
}

async fn delete_some(store: &Store, project: ProjectId, first: usize) -> Option<project_deletion::Deleted> {
    transact!(store, "test", tx => project_deletion::delete_some(tx, project, first).await).expect("rows are deleted")
}

#[tokio::test]
async fn rows_are_deleted_a_few_at_a_time_and_only_those_of_the_project() {
    let (world, other) = (World::new().await, fresh());
    world.add_project(other).await;
    let conversation = world.conversation().await;
    for _ in 0..120 {
        world.message(conversation, Direction::Inbound).await;
    }
    world.intent(conversation, "a").await.unwrap();
    for project in [world.project, other] {
        transact!(world.store, "test", tx => {
            let mut scope = tx.scope(project, NOW);
            events::append(&mut scope, fresh_uuid(), domain::event::Event::MessageMedia, fresh_uuid(), "{}").await
        })
        .unwrap();
    }
    let others = tables::rows_of(&world.store, other).await.unwrap();
    let (mut first, mut of_messages) = (0, Vec::new());
    while let Some(deleted) = delete_some(&world.store, world.project, first).await {
        first = deleted.table;
        assert!(deleted.rows <= 50, "{deleted:?}");
        if deleted.name == "messages" {
            of_messages.push(deleted.rows);
        }
    }
    assert_eq!(of_messages, [25, 25, 25, 25, 21]);
    assert_eq!(delete_some(&world.store, world.project, 0).await, None);
    let remove = async || transact!(world.store, "test", tx => projects::remove(tx, world.project).await).unwrap();
    assert!(!remove().await, "it is not marked as deleted");
    let mark = async |name: &str| {
        transact!(world.store, "test", tx => projects::mark_deleted(tx, world.project, name, NOW).await).unwrap()
    };
    assert_eq!([mark("acme").await, mark("Acme").await, mark("Acme").await], [false, true, false]);
    assert!(remove().await && !remove().await);
    let left = tables::rows_of(&world.store, world.project).await.unwrap();
    assert!(left.values().all(Vec::is_empty), "{left:?}");
    assert_eq!(tables::rows_of(&world.store, other).await.unwrap(), others);
}
