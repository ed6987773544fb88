//! Objects of other projects are not found.

use crate::{
    directory,
    support::{World, fresh, fresh_uuid, later},
};
use domain::{event::Event, message::Direction};
use store::{
    agent_whatsapp_configs as links, agents, contacts,
    conversation_assignments::{self, AssignmentRow},
    conversations, customers, events, executions, journal, messages, outbox, projects, transact, uploads,
    whatsapp_configs,
};

#[tokio::test]
async fn other_project_finds_nothing() {
    let world = World::new().await;
    let mine = world.project;
    let conversation = world.conversation().await;
    let message = world.message(conversation, Direction::Inbound).await;
    let send = world.intent(conversation, "a").await.unwrap();
    let agent = fresh();
    let snapshot = world.snapshot(agent, "{}").await;
    let execution = world.execution(agent, conversation).await.unwrap();
    let mut reader = world.store.read().await.unwrap();
    let customer = world.customer().await;
    let (config, agent_row) = (directory::config(fresh(), None, "n", "production"), world.agent().await);
    let link = links::AgentWhatsappConfigRow {
        id: fresh(),
        agent_id: agent_row,
        whatsapp_config_id: config.id,
        is_primary: true,
        created_at: later(0),
        updated_at: later(0),
    };
    transact!(world.store, "test", tx => {
        whatsapp_configs::insert(tx, mine, &config).await?;
        links::insert(tx, mine, &link).await
    })
    .unwrap();
    let assignment = AssignmentRow {
        id: fresh(),
        conversation_id: conversation,
        user_id: fresh(),
        active: true,
        notes: None,
        created_by_user_id: None,
        author: None,
        created_at: later(0),
    };
    transact!(world.store, "test", tx => conversation_assignments::insert(tx, mine, &assignment).await).unwrap();
    let contact = conversations::find(&mut reader.conn(), mine, conversation).await.unwrap().unwrap().contact_id;

    for (project, found) in [(mine, true), (fresh(), false)] {
        let conn = &mut reader.conn();
        assert_eq!(conversations::find(conn, project, conversation).await.unwrap().is_some(), found);
        assert_eq!(customers::find(conn, project, customer).await.unwrap().is_some(), found);
        assert_eq!(customers::list(conn, project, &Default::default(), 10, 0).await.unwrap().1 > 0, found);
        assert_eq!(whatsapp_configs::find(conn, project, config.id).await.unwrap().is_some(), found);
        assert_eq!(whatsapp_configs::list(conn, project, &Default::default(), 10, 0).await.unwrap().1 > 0, found);
        assert_eq!(links::find(conn, project, agent_row, link.id).await.unwrap().is_some(), found);
        assert_eq!(links::answers_on(conn, project, config.id).await.unwrap().is_some(), found);
        assert_eq!(contacts::find(conn, project, contact).await.unwrap().is_some(), found);
        assert_eq!(messages::find(conn, project, message).await.unwrap().is_some(), found);
        assert_eq!(messages::list(conn, project, conversation, 10, 0).await.unwrap().1 > 0, found);
        assert_eq!(outbox::find(conn, project, send).await.unwrap().is_some(), found);
        assert_eq!(outbox::is_known(conn, project, "a").await.unwrap(), found);
        assert_eq!(agents::snapshot(conn, project, snapshot).await.unwrap().is_some(), found);
        assert_eq!(executions::find(conn, project, execution).await.unwrap().is_some(), found);
        assert_eq!(executions::state(conn, project, execution).await.unwrap().is_some(), found);
        assert_eq!(conversations::list(conn, project, &Default::default(), 10, 0).await.unwrap().1 > 0, found);
        assert_eq!(executions::of_conversation(conn, project, conversation, 10, 0).await.unwrap().1 > 0, found);
        assert_eq!(conversation_assignments::list(conn, project, conversation, 10, 0).await.unwrap().1 > 0, found);
        let assigned = conversation_assignments::find(conn, project, conversation, assignment.id).await.unwrap();
        assert_eq!(assigned.is_some(), found);
    }
}

#[tokio::test]
async fn other_project_changes_nothing() {
    let world = World::new().await;
    let stranger = fresh();
    let conversation = world.conversation().await;
    let send = world.intent(conversation, "a").await.unwrap();
    transact!(world.store, "test", tx => {
        conversations::wake(tx, stranger, conversation, later(0), None).await?;
        assert!(conversations::next_seq(tx, stranger, conversation, later(0)).await?.is_none());
        assert!(conversations::lock(tx, stranger, conversation, later(0)).await?.is_none());
        conversations::assign(tx, stranger, conversation, Some(fresh())).await?;
        conversations::end(tx, stranger, conversation, later(0)).await?;
        assert!(outbox::withdraw(tx, stranger, conversation, "{}", later(0)).await?.is_empty());
        assert!(outbox::note_wamid(tx, stranger, send, "x", later(0)).await?.is_none());
        store::Result::Ok(())
    })
    .unwrap();
    let mut reader = world.store.read().await.unwrap();
    let row = conversations::find(&mut reader.conn(), world.project, conversation).await.unwrap().unwrap();
    assert_eq!((row.due_at, row.agent_id), (None, None));
    assert_eq!((row.assignee_id, row.status.as_str()), (None, "active"));
}

#[tokio::test]
async fn files_and_deletions_stay_within_their_project() {
    let world = World::new().await;
    let (mine, stranger, upload) = (world.project, fresh(), fresh_uuid());
    world.add_project(stranger).await;
    let conversation = world.conversation().await;
    let message = world.message(conversation, Direction::Inbound).await;
    transact!(world.store, "test", tx => {
        uploads::add(tx, mine, upload, 0, b"my").await?;
        uploads::add(tx, mine, upload, 1, b" file").await?;
        uploads::add(tx, stranger, upload, 0, b"theirs").await?;
        uploads::delete(tx, stranger, upload).await?;
        messages::delete(tx, stranger, message).await?;
        assert_eq!(messages::read(tx, stranger, conversation, message, later(1)).await?, 0);
        store::Result::Ok(())
    })
    .unwrap();
    let mut reader = world.store.read().await.unwrap();
    let conn = &mut reader.conn();
    assert_eq!(uploads::size(conn, mine, upload).await.unwrap(), 7);
    assert_eq!(uploads::piece(conn, mine, upload, 1).await.unwrap().as_deref(), Some(&b" file"[..]));
    assert_eq!(uploads::piece(conn, mine, upload, 2).await.unwrap(), None);
    assert_eq!(uploads::size(conn, stranger, upload).await.unwrap(), 0);
    assert_eq!(messages::find(conn, mine, message).await.unwrap().unwrap().status.as_str(), "received");
    assert!(messages::of_wamid(conn, stranger, conversation, "wamid.1").await.unwrap().is_none());
    assert!(conversations::last_inbound(conn, stranger, fresh(), "1").await.unwrap().is_none());
}

#[tokio::test]
async fn events_of_an_object_are_read_oldest_first() {
    let world = World::new().await;
    let (object, other) = (fresh_uuid(), fresh_uuid());
    for (seconds, object_id) in [(2, object), (1, object), (3, other)] {
        transact!(world.store, "test", tx => {
            let mut scope = tx.scope(world.project, later(seconds));
            events::append(&mut scope, fresh_uuid(), Event::ExecutionStatus, object_id, "{}").await
        })
        .unwrap();
    }
    let mut reader = world.store.read().await.unwrap();
    let found = events::of_object(&mut reader.conn(), world.project, object).await.unwrap();
    assert_eq!(found.iter().map(|event| event.at).collect::<Vec<_>>(), [later(1), later(2)]);
}

#[tokio::test]
async fn insert_of_an_existing_project_changes_nothing() {
    let world = World::new().await;
    transact!(world.store, "test", tx => projects::insert(tx, world.project, "Another name", later(1)).await).unwrap();
    let mut reader = world.store.read().await.unwrap();
    assert_eq!(projects::find(&mut reader.conn(), world.project).await.unwrap().unwrap().name, "Acme");
    assert_eq!(journal::read(&mut reader.conn(), world.project, fresh(), 0).await.unwrap().len(), 0);
}
