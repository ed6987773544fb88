//! Assignments, and withdrawal of the agent's queued messages.

use crate::support::{NOW, World, at_once, fresh, later};
use domain::ids::ConversationId;
use store::{
    Error,
    conversation_assignments::{self, AssignmentRow},
    conversations,
    outbox::{self, OutboxState},
    transact,
    unscoped::DueOutbox,
};

fn assignment(conversation: ConversationId, seconds: i64) -> AssignmentRow {
    AssignmentRow {
        id: fresh(),
        conversation_id: conversation,
        user_id: fresh(),
        active: true,
        notes: None,
        created_by_user_id: None,
        author: None,
        created_at: later(seconds),
    }
}

async fn insert(world: &World, row: &AssignmentRow) -> Result<(), Error> {
    transact!(world.store, "test", tx => conversation_assignments::insert(tx, world.project, row).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_assignments_leave_one_active() {
    let world = World::new().await;
    let conversation = world.conversation().await;
    let (store, project) = (world.store.clone(), world.project);
    let results = at_once(10, |at| {
        let (store, row) = (store.clone(), assignment(conversation, i64::try_from(at).unwrap()));
        async move { transact!(store, "test", tx => conversation_assignments::insert(tx, project, &row).await) }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(results.iter().all(|result| matches!(result, Ok(()) | Err(Error::Conflict(_)))));
}

#[tokio::test]
async fn released_conversation_can_be_assigned_again() {
    let world = World::new().await;
    let conversation = world.conversation().await;
    let (first, second) = (assignment(conversation, 1), assignment(conversation, 2));
    insert(&world, &first).await.unwrap();
    transact!(world.store, "test", tx => conversation_assignments::release(tx, world.project, conversation, NOW).await)
        .unwrap();
    insert(&world, &second).await.unwrap();
    let mut reader = world.store.read().await.unwrap();
    let (rows, total) =
        conversation_assignments::list(&mut reader.conn(), world.project, conversation, 10, 0).await.unwrap();
    assert_eq!(rows.iter().map(|row| (row.id, row.active)).collect::<Vec<_>>(), [(second.id, true), (first.id, false)]);
    assert_eq!(total, 2);
}

#[tokio::test]
async fn only_queued_agent_messages_are_withdrawn() {
    let world = World::new().await;
    let (conversation, other) = (world.conversation().await, world.conversation().await);
    let execution = Some(world.execution(world.agent().await, conversation).await.unwrap());
    let leaving = world.intent_of(conversation, "leaving", execution).await.unwrap();
    let waiting = world.intent_of(conversation, "waiting", execution).await.unwrap();
    let proven = world.intent_of(conversation, "proven", execution).await.unwrap();
    let person = world.intent_of(conversation, "person", None).await.unwrap();
    let elsewhere = world.intent_of(other, "elsewhere", execution).await.unwrap();
    transact!(world.store, "test", tx => {
        let due = DueOutbox { project_id: world.project, id: leaving, epoch: 0 };
        outbox::claim(tx, due, "node", NOW).await?.expect("it is due");
        outbox::note_wamid(tx, world.project, proven, "wamid.X", NOW).await
    })
    .unwrap();
    let taken = async || {
        let taken =
            transact!(world.store, "test", tx => outbox::withdraw(tx, world.project, conversation, "{}", NOW).await);
        taken.unwrap().iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!((taken().await, taken().await), (vec![waiting], vec![]));
    let mut reader = world.store.read().await.unwrap();
    for (id, state) in [
        (leaving, OutboxState::Sending),
        (waiting, OutboxState::Failed),
        (proven, OutboxState::Queued),
        (person, OutboxState::Queued),
        (elsewhere, OutboxState::Queued),
    ] {
        let row = outbox::find(&mut reader.conn(), world.project, id).await.unwrap().unwrap();
        assert_eq!(row.state, state);
    }
}

#[tokio::test]
async fn contact_has_one_open_conversation_per_number() {
    let world = World::new().await;
    let project = world.project;
    let contact = world.contact().await;
    let open = async || {
        let touch = crate::support::touch(contact);
        transact!(world.store, "test", tx => conversations::touch(tx, project, &touch).await).unwrap().id
    };
    let first = open().await;
    transact!(world.store, "test", tx => {
        conversations::assign(tx, project, first, Some(fresh())).await?;
        conversations::end(tx, project, first, NOW).await
    })
    .unwrap();
    let mut reader = world.store.read().await.unwrap();
    let row = conversations::find(&mut reader.conn(), project, first).await.unwrap().unwrap();
    assert!(!row.is_assigned(), "an ended conversation has no assignee");
    let reopen = async || transact!(world.store, "test", tx => conversations::reopen(tx, project, first, NOW).await);
    let second = open().await;
    assert_ne!(first, second);
    assert!(matches!(reopen().await, Err(Error::Conflict(_))));
    transact!(world.store, "test", tx => conversations::end(tx, project, second, NOW).await).unwrap();
    reopen().await.unwrap();
    assert_eq!(open().await, first);
}
