//! Test chats, and their checkpoints, from which a chat can be continued.

use crate::db::{Conn, Result, Scope, Tx, rows, run, statements};
use domain::{Timestamp, ids::{AgentId, CheckpointId, ConversationId, ExecutionId, ProjectId, SnapshotId, TestChatId}};

rows! {
    #[derive(Debug, Clone)]
    pub struct TestChatRow {
        pub id: TestChatId,
        pub agent_id: AgentId,
        /// None: the agent as it is when a thread begins.
        pub snapshot_id: Option<SnapshotId>,
        /// The conversation of the current branch.
        pub conversation_id: ConversationId,
        /// The latest checkpoint.
        pub checkpoint_id: Option<CheckpointId>,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
    }
}

rows! {
    /// A point from which a chat can be continued.
    #[derive(Debug, Clone)]
    pub struct CheckpointRow {
        pub id: CheckpointId,
        pub chat_id: TestChatId,
        pub parent_id: Option<CheckpointId>,
        pub execution_id: ExecutionId,
        /// Steps until then.
        pub step_no: i64,
        /// Sequence number of the last message until then.
        pub message_seq: i64,
        pub created_at: Timestamp,
    }
}

statements! {
    INSERT = ["INSERT INTO test_chats (project_id, id, agent_id, snapshot_id, conversation_id, created_at, updated_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $6)"];
    FIND = ["SELECT ", TestChatRow, " FROM test_chats WHERE project_id = $1 AND id = $2 \
             AND EXISTS (SELECT 1 FROM agents a WHERE a.project_id = $1 AND a.id = test_chats.agent_id AND a.deleted_at IS NULL)"];
    LOCK = ["UPDATE test_chats SET updated_at = $3 WHERE project_id = $1 AND id = $2 \
             RETURNING ", TestChatRow];
    OF_CONVERSATION = ["SELECT ", TestChatRow, " FROM test_chats \
                        WHERE project_id = $1 AND conversation_id = $2"];
    MOVE = ["UPDATE test_chats SET conversation_id = $3, checkpoint_id = $4, updated_at = $5 WHERE project_id = $1 AND id = $2"];
    ADD_CHECKPOINT = ["INSERT INTO test_checkpoints (project_id, id, chat_id, parent_id, execution_id, step_no, message_seq, created_at) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"];
    CHECKPOINT = ["SELECT ", CheckpointRow, " FROM test_checkpoints \
                   WHERE project_id = $1 AND id = $2"];
}

pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, c: &TestChatRow) -> Result<()> {
    run!(tx, INSERT, [project, c.id, c.agent_id, c.snapshot_id, c.conversation_id, c.created_at], execute).map(drop)
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: TestChatId) -> Result<Option<TestChatRow>> {
    run!(conn, FIND, [project, id], fetch_optional as TestChatRow)
}

/// Reads and locks a chat until the transaction ends.
pub async fn lock(tx: &mut Tx<'_>, project: ProjectId, id: TestChatId, now: Timestamp) -> Result<Option<TestChatRow>> {
    run!(tx, LOCK, [project, id, now], fetch_optional as TestChatRow)
}

/// The chat whose current branch is this conversation.
pub async fn of_conversation(conn: &mut Conn<'_>, project: ProjectId, id: ConversationId) -> Result<Option<TestChatRow>> {
    run!(conn, OF_CONVERSATION, [project, id], fetch_optional as TestChatRow)
}

/// Continues a chat in a conversation, from a checkpoint.
pub async fn go_on(
    s: &mut Scope<'_, '_>,
    id: TestChatId,
    conversation: ConversationId,
    checkpoint: CheckpointId,
) -> Result<()> {
    let (project, now) = (s.project, s.now);
    run!(s, MOVE, [project, id, conversation, checkpoint, now], execute).map(drop)
}

pub async fn add_checkpoint(tx: &mut Tx<'_>, project: ProjectId, c: &CheckpointRow) -> Result<()> {
    run!(tx, ADD_CHECKPOINT, [project, c.id, c.chat_id, c.parent_id, c.execution_id, c.step_no, c.message_seq, c.created_at],
        execute).map(drop)
}

pub async fn checkpoint(conn: &mut Conn<'_>, project: ProjectId, id: CheckpointId) -> Result<Option<CheckpointRow>> {
    run!(conn, CHECKPOINT, [project, id], fetch_optional as CheckpointRow)
}
