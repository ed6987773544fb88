//! Test chats, and the rests of each from which it can be taken up again.

use crate::{Conn, Result, Tx, db::row::rows, db::sql::{run, statements}};
use domain::{Timestamp, ids::{AgentId, CheckpointId, ConversationId, ExecutionId, ProjectId, TestChatId}};
use uuid::Uuid;

rows! {
    /// A stored chat.
    #[derive(Debug, Clone)]
    pub struct TestChatRow {
        /// Its id.
        pub id: TestChatId,
        /// Who answers.
        pub agent_id: AgentId,
        /// In which state; none: as the agent is when a thread begins.
        pub snapshot_id: Option<Uuid>,
        /// Where its current branch talks.
        pub conversation_id: ConversationId,
        /// Its latest rest.
        pub checkpoint_id: Option<Uuid>,
        /// When it was made.
        pub created_at: Timestamp,
        /// When it changed.
        pub updated_at: Timestamp,
    }
}

rows! {
    /// A rest of a chat.
    #[derive(Debug, Clone)]
    pub struct CheckpointRow {
        /// Its id.
        pub id: CheckpointId,
        /// The chat.
        pub chat_id: TestChatId,
        /// The rest before it.
        pub parent_id: Option<Uuid>,
        /// The execution that rests.
        pub execution_id: ExecutionId,
        /// Its steps until then.
        pub step_no: i64,
        /// The last message until then.
        pub message_seq: i64,
        /// When.
        pub created_at: Timestamp,
    }
}

statements! {
    INSERT = ["INSERT INTO test_chats (project_id, id, agent_id, snapshot_id, conversation_id, created_at, updated_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $6)"];
    FIND = ["SELECT id, agent_id, snapshot_id, conversation_id, checkpoint_id, created_at, updated_at FROM test_chats \
             WHERE project_id = $1 AND id = $2"];
    LOCK = ["UPDATE test_chats SET updated_at = $3 WHERE project_id = $1 AND id = $2 \
             RETURNING id, agent_id, snapshot_id, conversation_id, checkpoint_id, created_at, updated_at"];
    OF_CONVERSATION = ["SELECT id, agent_id, snapshot_id, conversation_id, checkpoint_id, created_at, updated_at FROM test_chats \
                        WHERE project_id = $1 AND conversation_id = $2"];
    MOVE = ["UPDATE test_chats SET conversation_id = $3, checkpoint_id = $4, updated_at = $5 WHERE project_id = $1 AND id = $2"];
    ADD_CHECKPOINT = ["INSERT INTO test_checkpoints (project_id, id, chat_id, parent_id, execution_id, step_no, message_seq, created_at) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"];
    CHECKPOINT = ["SELECT id, chat_id, parent_id, execution_id, step_no, message_seq, created_at FROM test_checkpoints \
                   WHERE project_id = $1 AND id = $2"];
}

/// Stores a chat.
pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, c: &TestChatRow) -> Result<()> {
    let ids = [c.id.uuid(), c.agent_id.uuid(), c.conversation_id.uuid()];
    run!(tx, INSERT, [project.uuid(), ids[0], ids[1], c.snapshot_id, ids[2], c.created_at.micros()], execute).map(drop)
}

/// The chat of this id.
pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: TestChatId) -> Result<Option<TestChatRow>> {
    run!(conn, FIND, [project.uuid(), id.uuid()], fetch_optional as TestChatRow)
}

/// The chat of this id, for saying something in it: others who do the same wait.
pub async fn lock(tx: &mut Tx<'_>, project: ProjectId, id: TestChatId, now: Timestamp) -> Result<Option<TestChatRow>> {
    run!(tx, LOCK, [project.uuid(), id.uuid(), now.micros()], fetch_optional as TestChatRow)
}

/// The chat whose current branch talks in this conversation.
pub async fn of_conversation(conn: &mut Conn<'_>, project: ProjectId, id: ConversationId) -> Result<Option<TestChatRow>> {
    run!(conn, OF_CONVERSATION, [project.uuid(), id.uuid()], fetch_optional as TestChatRow)
}

/// Lets a chat go on in a conversation, from a rest.
pub async fn go_on(
    tx: &mut Tx<'_>,
    (project, id): (ProjectId, TestChatId),
    conversation: ConversationId,
    checkpoint: CheckpointId,
    now: Timestamp,
) -> Result<()> {
    let values = [id.uuid(), conversation.uuid(), checkpoint.uuid()];
    run!(tx, MOVE, [project.uuid(), values[0], values[1], values[2], now.micros()], execute).map(drop)
}

/// Stores a rest.
pub async fn add_checkpoint(tx: &mut Tx<'_>, project: ProjectId, c: &CheckpointRow) -> Result<()> {
    let (ids, numbers) = ([c.id.uuid(), c.chat_id.uuid(), c.execution_id.uuid()], [c.step_no, c.message_seq]);
    run!(tx, ADD_CHECKPOINT, [project.uuid(), ids[0], ids[1], c.parent_id, ids[2], numbers[0], numbers[1], c.created_at.micros()], execute)
        .map(drop)
}

/// The rest of this id.
pub async fn checkpoint(conn: &mut Conn<'_>, project: ProjectId, id: CheckpointId) -> Result<Option<CheckpointRow>> {
    run!(conn, CHECKPOINT, [project.uuid(), id.uuid()], fetch_optional as CheckpointRow)
}
