//! Executions, their history and their journal.

use crate::support::{World, fresh, later};
use domain::execution::{ExecutionStatus, HistoryOrigin};
use store::{
    Error, executions,
    executions::{Filter, Saved},
    history::{self, HistoryRow},
    journal::{self, JournalRow},
    transact,
};

fn saved(status: ExecutionStatus) -> Saved<'static> {
    Saved {
        entered: Some(status),
        node: "assistant",
        handoff_reason: None,
        end_reason: None,
        error: None,
        state: "{\"a\":1}",
        state_format: 1,
        step_no: 3,
        sums: executions::Sums::default(),
        llm_calls: 0,
        now: later(5),
    }
}

#[tokio::test]
async fn conversation_has_at_most_one_active_execution() {
    let world = World::new().await;
    let (agent, conversation) = (fresh(), world.conversation().await);
    let mut live = world.execution(agent, conversation).await.unwrap();
    for status in ExecutionStatus::ALL {
        transact!(world.store, "test", tx => executions::save(tx, world.project, live, &saved(status)).await).unwrap();
        let second = world.execution(agent, conversation).await;
        if status.is_over() {
            live = second.unwrap();
        } else {
            assert!(matches!(second, Err(Error::Conflict(_))), "{status:?}: {second:?}");
        }
    }
}

#[tokio::test]
async fn only_a_finished_execution_has_an_end_time() {
    let world = World::new().await;
    let id = world.execution(fresh(), world.conversation().await).await.unwrap();
    for status in ExecutionStatus::ALL {
        transact!(world.store, "test", tx => executions::save(tx, world.project, id, &saved(status)).await).unwrap();
        let mut reader = world.store.read().await.unwrap();
        let row = executions::find(&mut reader.conn(), world.project, id).await.unwrap().unwrap();
        assert_eq!(row.ended_at, status.is_over().then_some(later(5)), "{status:?}");
        let state = executions::state(&mut reader.conn(), world.project, id).await.unwrap().unwrap();
        assert_eq!((state.status, state.state.as_str(), state.step_no), (status, "{\"a\":1}", 3));
    }
}

#[tokio::test]
async fn executions_are_listed_per_agent_with_filters() {
    let world = World::new().await;
    let (agent, other) = (fresh(), fresh());
    let running = world.execution(agent, world.conversation().await).await.unwrap();
    let ended = world.execution(agent, world.conversation().await).await.unwrap();
    world.execution(other, world.conversation().await).await.unwrap();
    transact!(world.store, "test", tx => executions::save(tx, world.project, ended, &saved(ExecutionStatus::Ended)).await).unwrap();

    let cases = [
        (Filter::default(), vec![ended, running]),
        (Filter { status: Some("started".into()), ..Filter::default() }, vec![running]),
        (Filter { ended_from: Some(later(5)), ..Filter::default() }, vec![ended]),
        (Filter { ended_from: Some(later(6)), ..Filter::default() }, vec![]),
        (Filter { ended_to: Some(later(4)), ..Filter::default() }, vec![]),
        (Filter { started_from: Some(later(1)), ..Filter::default() }, vec![]),
        (Filter { started_to: Some(later(0)), ..Filter::default() }, vec![ended, running]),
        (Filter { phone_number: Some("+1".into()), ..Filter::default() }, vec![]),
    ];
    let mut reader = world.store.read().await.unwrap();
    for (filter, expected) in cases {
        let (rows, total) = executions::list(&mut reader.conn(), world.project, agent, &filter, 10, 0).await.unwrap();
        let found: Vec<_> = rows.iter().map(|row| row.id).collect();
        assert_eq!((found, total), (expected.clone(), expected.len() as i64), "{filter:?}");
    }
}

#[tokio::test]
async fn journal_stores_each_step_once_in_order() {
    let world = World::new().await;
    let id = fresh();
    let list = || String::from("[]");
    let step = |step_no| JournalRow {
        step_no,
        epoch: 1,
        format: 1,
        inputs: list(),
        effects: list(),
        events: list(),
        at: later(0),
    };
    for number in [2, 1, 3] {
        transact!(world.store, "test", tx => journal::append(tx, world.project, id, &step(number)).await).unwrap();
    }
    let again = transact!(world.store, "test", tx => journal::append(tx, world.project, id, &step(2)).await);
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    let mut reader = world.store.read().await.unwrap();
    let rows = journal::read(&mut reader.conn(), world.project, id, 1).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.step_no).collect::<Vec<_>>(), [2, 3]);
}

#[tokio::test]
async fn history_is_append_only_and_ordered() {
    let world = World::new().await;
    let id = fresh();
    let entry = |seq| HistoryRow {
        messages: None,
        seq,
        at: later(0),
        node: "a".into(),
        origin: HistoryOrigin::Contact,
        entry: format!("{seq}"),
    };
    for seq in [1, 3, 2] {
        transact!(world.store, "test", tx => history::append(tx, world.project, id, &entry(seq)).await).unwrap();
    }
    let again = transact!(world.store, "test", tx => history::append(tx, world.project, id, &entry(3)).await);
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    let mut reader = world.store.read().await.unwrap();
    assert_eq!(history::window(&mut reader.conn(), world.project, id, 2).await.unwrap(), [entry(2), entry(3)]);
    assert_eq!(history::one(&mut reader.conn(), world.project, id, 1).await.unwrap(), Some(entry(1)));
}
