//! Conversations in test mode: the same engine, mailbox, journal and workers as any other, without
//! a contact.
//!
//! Such a conversation has no number. The agent's messages are stored in it and are not sent. In a
//! test chat a developer plays the contact, in a test run a simulated user.

use crate::{
    Context,
    derived_id::derived_id,
    events,
    execution::{self, InitialState},
    json::{from_json, to_json},
    mailbox, replay,
};
use domain::{
    Timestamp,
    author::Author,
    event,
    execution::{ExecutionInput, ExecutionStatus},
    ids::{AgentId, CheckpointId, ConversationId, ExecutionId, Id, MessageId, ProjectId, SnapshotId},
    job::JobKind,
    message::{Direction, MessageOrigin},
};
use engine::{Event, Facts, Input, STATE_FORMAT, State};
use serde_json::json;
use store::{
    Conn, Error, Result, Tx,
    contacts::{self, Seen},
    conversations::{self, ConversationRow, Release, Touch},
    executions::{self, ExecutionRow, NewExecution},
    history, jobs,
    messages::{self, NewMessage},
    test_chats::{self, CheckpointRow, TestChatRow},
};

/// Creates a conversation without a number.
pub async fn open(ctx: &Context, tx: &mut Tx<'_>, project: ProjectId) -> Result<ConversationRow> {
    let now = ctx.now();
    let contact = contacts::ensure(tx, project, &[], ctx.new_id(), &Seen::default(), now).await?;
    let touch = Touch {
        new_id: ctx.new_id(),
        phone_number_id: "",
        contact,
        config: None,
        phone_number: None,
        contact_name: None,
        agent: None,
        inbound_at: None,
        now,
    };
    conversations::touch(tx, project, &touch).await
}

/// Creates an execution in test mode. It starts with the first input that is delivered to it.
pub async fn begin(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    agent: AgentId,
    snapshot: SnapshotId,
    id: ExecutionId,
) -> Result<()> {
    let facts = execution::facts(ctx, id, agent, conversation);
    let facts = Facts { test_mode: true, without_channel: false, ..facts };
    begin_with(ctx, tx, project, agent, snapshot, &State::new(facts), 0).await
}

/// Creates an execution with an initial state.
async fn begin_with(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    agent: AgentId,
    snapshot: SnapshotId,
    state: &State,
    step_no: i64,
) -> Result<()> {
    let (id, conversation, now) = (state.facts.execution_id, state.facts.conversation_id, ctx.now());
    let new = NewExecution { id, agent, snapshot, conversation, phone_number: None, first_message: None, now };
    executions::insert(tx, project, &new).await?;
    let text = to_json("state", state)?;
    let initial = InitialState { format: STATE_FORMAT, state: from_json("state", &text)? };
    let initial = to_json("state", &initial)?;
    executions::begin_with(tx, project, id, STATE_FORMAT, &text, step_no, &initial).await
}

/// Delivers a contact's message, or data from a system, to an execution of the conversation, and
/// makes it due.
pub async fn deliver(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: ConversationId,
    execution: ExecutionId,
    input: &ExecutionInput,
) -> Result<()> {
    let now = ctx.now();
    let row = next(tx, project, conversation, now).await?;
    let id = ctx.new_id();
    let key = format!("test:{id}");
    let delivered = match input {
        ExecutionInput::UserInput { text } => {
            store_message(tx, project, conversation, (id, row.next_seq, Direction::Inbound), execution, text, now)
                .await?;
            Input::Message { id: key.clone(), text: text.clone(), picture: None }
        }
        ExecutionInput::Payload { value } => Input::Data { id: key.clone(), value: value.clone() },
    };
    mailbox::put(tx, project, &row, &key, &delivered).await?;
    // The row is locked, so its epoch is current.
    let release = Release { execution: Some(execution), due_at: Some(now), keep: true };
    conversations::release(tx, project, conversation, row.epoch, release).await
}

/// Stops the conversation's execution.
pub async fn stop(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: ConversationId,
    reason: &str,
) -> Result<()> {
    let now = ctx.now();
    let row = next(tx, project, conversation, now).await?;
    let key = format!("stop:{}", ctx.new_uuid());
    let input = Input::Stop { id: key.clone(), reason: reason.into() };
    mailbox::deliver(tx, project, &row, &key, &input, now).await
}

async fn next(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, now: Timestamp) -> Result<ConversationRow> {
    let gone = || Error::Damaged { what: "test", why: "its conversation is missing".into() };
    conversations::next_seq(tx, project, id, now).await?.ok_or_else(gone)
}

async fn store_message(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: ConversationId,
    (id, seq, direction): (MessageId, i64, Direction),
    execution: ExecutionId,
    content: &str,
    now: Timestamp,
) -> Result<()> {
    let new = NewMessage {
        id,
        seq,
        direction,
        origin: if direction == Direction::Inbound { MessageOrigin::Contact } else { MessageOrigin::Agent },
        author: (direction == Direction::Outbound).then_some(Author::Execution(execution)),
        kind: "text",
        content,
        raw: None,
        wamid: None,
        wa_timestamp: None,
        execution: Some(execution),
        now,
    };
    messages::insert(tx, project, conversation, &new).await
}

/// Stores the messages that a step sent.
pub(crate) async fn store_sent(
    tx: &mut Tx<'_>,
    project: ProjectId,
    state: &State,
    events: &[Event],
    now: Timestamp,
) -> Result<()> {
    let (conversation, execution) = (state.facts.conversation_id, state.facts.execution_id);
    for event in events.iter().filter(|event| event.name == "message.sent") {
        let text = event.data["text"].as_str().unwrap_or_default();
        let id = Id::from_uuid(derived_id(project, "message", &format!("test/{execution}/{}", event.seq)));
        let row = next(tx, project, conversation, now).await?;
        store_message(tx, project, conversation, (id, row.next_seq, Direction::Outbound), execution, text, now).await?;
    }
    Ok(())
}

/// Records that the execution waits or is over: wakes its test run, and adds a checkpoint to its
/// test chat.
pub(crate) async fn record_rest(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    state: &State,
    step_no: i64,
    now: Timestamp,
) -> Result<()> {
    let execution_id = state.facts.execution_id;
    jobs::wake(&mut tx.scope(project, now), JobKind::TestRun, &execution_id.to_string()).await?;
    let Some(chat) = test_chats::of_conversation(tx, project, state.facts.conversation_id).await? else {
        return Ok(());
    };
    let message_seq = next(tx, project, chat.conversation_id, now).await?.next_seq;
    let id = ctx.new_id();
    let parent_id = chat.checkpoint_id;
    let row = CheckpointRow { id, chat_id: chat.id, parent_id, execution_id, step_no, message_seq, created_at: now };
    test_chats::add_checkpoint(tx, project, &row).await?;
    test_chats::go_on(&mut tx.scope(project, now), chat.id, chat.conversation_id, id).await?;
    let body = json!({"conversation_id": chat.conversation_id});
    events::append(ctx, tx, project, event::Event::TestChatUpdated, chat.id.uuid(), &body).await
}

/// The execution's status, unless it is working or has inputs waiting.
pub fn status_at_rest(conversation: &ConversationRow, execution: &ExecutionRow) -> Option<ExecutionStatus> {
    let status = execution.status;
    let working = matches!(status, ExecutionStatus::Started | ExecutionStatus::Running);
    (conversation.due_at.is_none() && !working).then_some(status)
}

/// Branches a chat at a checkpoint: copies its history up to there into a new conversation.
pub async fn branch(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    chat: &TestChatRow,
    from: &CheckpointRow,
) -> Result<ConversationId> {
    let now = ctx.now();
    let row = executions::state(tx, project, from.execution_id).await?;
    let row = row.ok_or_else(|| Error::Damaged { what: "checkpoint", why: "its execution is missing".into() })?;
    let mut state = replay::state_at(tx, project, from.execution_id, from.step_no).await?;
    let before = state.facts.conversation_id;
    let conversation = open(ctx, tx, project).await?;
    let id: ExecutionId = ctx.new_id();
    state.facts.execution_id = id;
    state.facts.conversation_id = conversation.id;
    begin_with(ctx, tx, project, chat.agent_id, row.snapshot_id, &state, from.step_no).await?;
    copy_history(tx, project, from.execution_id, id, state.history.len).await?;
    for message in messages::in_order(tx, project, before, from.message_seq).await? {
        let seq = next(tx, project, conversation.id, now).await?.next_seq;
        store_message(tx, project, conversation.id, (ctx.new_id(), seq, message.direction), id, &message.content, now)
            .await?;
    }
    let epoch = conversation.epoch;
    let release = Release { execution: Some(id), due_at: None, keep: true };
    conversations::release(tx, project, conversation.id, epoch, release).await?;
    test_chats::go_on(&mut tx.scope(project, now), chat.id, conversation.id, from.id).await?;
    Ok(conversation.id)
}

async fn copy_history(
    tx: &mut Tx<'_>,
    project: ProjectId,
    from: ExecutionId,
    to: ExecutionId,
    length: i64,
) -> Result<()> {
    let mut copied = 0;
    while copied < length {
        let rows = history::window(tx, project, from, copied + 1).await?;
        let Some(last) = rows.last().map(|row| row.seq) else { break };
        for row in rows.iter().filter(|row| row.seq <= length) {
            history::append(tx, project, to, row).await?;
        }
        copied = last;
    }
    Ok(())
}

/// `None` if the checkpoint belongs to another chat.
pub async fn checkpoint(
    conn: &mut Conn<'_>,
    project: ProjectId,
    chat: &TestChatRow,
    id: CheckpointId,
) -> Result<Option<CheckpointRow>> {
    Ok(test_chats::checkpoint(conn, project, id).await?.filter(|found| found.chat_id == chat.id))
}
