//! A view of the whole database, for the simulator's invariants.
//!
//! Reads across projects; tests only.

use crate::db::{Conn, Result, rows, run, statements};
use uuid::Uuid;

rows! {
    #[derive(Debug, Clone)]
    pub struct Conversation {
        pub id: Uuid,
        /// The highest sequence number so far.
        pub next_seq: i64,
        /// The highest place in the order of sends so far.
        pub next_out_seq: i64,
        pub due_at: Option<i64>,
        pub lease_until: i64,
        /// Fencing token, raised by each claim.
        pub epoch: i64,
        pub execution_id: Option<Uuid>,
    }

    #[derive(Debug, Clone)]
    pub struct Message {
        pub id: Uuid,
        pub conversation_id: Uuid,
        pub seq: i64,
        pub direction: String,
        pub content: String,
        pub wamid: Option<String>,
        /// `received`, or how far an outbound one has come.
        pub status: String,
    }

    #[derive(Debug, Clone)]
    pub struct Outbox {
        pub id: Uuid,
        pub conversation_id: Uuid,
        pub message_id: Uuid,
        /// Its place in the order of sends.
        pub out_seq: i64,
        /// The execution that waits for the outcome.
        pub execution_id: Option<Uuid>,
        pub effect_id: Option<String>,
        pub state: String,
        /// As the outbox row counts them.
        pub attempt: i64,
        /// Rows of `outbox_attempts`.
        pub attempts: i64,
        /// Attempts with an unknown result.
        pub unclear: i64,
        pub wamid: Option<String>,
    }

    #[derive(Debug, Clone)]
    pub struct Execution {
        pub id: Uuid,
        pub conversation_id: Uuid,
        pub status: String,
        /// The engine's state, JSON.
        pub state: String,
        pub step_no: i64,
        /// Number of history rows.
        pub history: i64,
    }

    #[derive(Debug, Clone)]
    pub struct Step {
        pub execution_id: Uuid,
        pub step_no: i64,
        /// The epoch that wrote the step.
        pub epoch: i64,
        /// JSON of the engine's inputs.
        pub inputs: String,
        /// JSON of the effects.
        pub effects: String,
    }
}

rows! {
    /// A counter that differs from the number of rows.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct WrongCounter {
        pub project_id: Uuid,
        pub list: String,
        /// A project, agent, test case or test suite.
        pub of_id: Uuid,
        pub counted: i64,
        pub there: i64,
    }
}

rows! {
    /// Numbers of rows that expire.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Expiring {
        pub answers: i64,
        pub webhooks: i64,
        pub codes: i64,
        pub tokens: i64,
        /// Rights of codes and tokens.
        pub rights: i64,
    }
}

#[derive(Debug, Clone)]
pub struct Census {
    pub conversations: Vec<Conversation>,
    /// By conversation and sequence number.
    pub messages: Vec<Message>,
    /// By conversation and place in the order of sends.
    pub outbox: Vec<Outbox>,
    /// By conversation and creation time.
    pub executions: Vec<Execution>,
    /// By execution and number.
    pub journal: Vec<Step>,
    /// Number of waiting inputs.
    pub mailbox: i64,
    /// Number of due timers and jobs.
    pub overdue: i64,
}

statements! {
    CONVERSATIONS = ["SELECT ", Conversation, " FROM conversations ORDER BY id"];
    MESSAGES = ["SELECT ", Message, " FROM messages ORDER BY conversation_id, seq"];
    OUTBOX = ["SELECT id, conversation_id, message_id, out_seq, execution_id, effect_id, state, attempt, \
               (SELECT count(*) FROM outbox_attempts a WHERE a.project_id = o.project_id AND a.outbox_id = o.id) AS attempts, \
               (SELECT count(*) FROM outbox_attempts a WHERE a.project_id = o.project_id AND a.outbox_id = o.id \
                   AND (a.outcome IS NULL OR a.outcome IN ('unknown', 'unconfirmed'))) AS unclear, \
               wamid FROM outbox o ORDER BY conversation_id, out_seq"];
    EXECUTIONS = ["SELECT id, conversation_id, status, state, step_no, \
                   (SELECT count(*) FROM history h WHERE h.project_id = e.project_id AND h.execution_id = e.id) AS history \
                   FROM executions e ORDER BY conversation_id, created_at, id"];
    JOURNAL = ["SELECT ", Step, " FROM journal ORDER BY execution_id, step_no"];
    EXPIRING = ["SELECT (SELECT count(*) FROM idempotency) AS answers, (SELECT count(*) FROM webhook_events) AS webhooks, \
                 (SELECT count(*) FROM cli_logins) AS codes, (SELECT count(*) FROM cli_tokens) AS tokens, \
                 (SELECT count(*) FROM cli_access) AS rights"];
    PIECES = ["SELECT count(*) FROM upload_pieces"];
    MAILBOX = ["SELECT count(*) FROM mailbox"];
    WRONG_COUNTERS = ["SELECT project_id, list, of_id, CAST(SUM(n) AS BIGINT) AS counted, CAST(SUM(found) AS BIGINT) AS there FROM (\
        SELECT project_id, list, of_id, n, 0 AS found FROM counters \
        UNION ALL SELECT project_id, 'agents' AS list, project_id AS of_id, 0 AS n, 1 AS found FROM agents \
            WHERE deleted_at IS NULL \
        UNION ALL SELECT project_id, 'contacts' AS list, project_id AS of_id, 0 AS n, 1 AS found FROM contacts \
            WHERE wa_id IS NOT NULL OR user_id IS NOT NULL \
        UNION ALL SELECT project_id, 'conversations' AS list, project_id AS of_id, 0 AS n, 1 AS found FROM conversations \
            WHERE phone_number_id <> '' \
        UNION ALL SELECT project_id, 'customers' AS list, project_id AS of_id, 0 AS n, 1 AS found FROM customers \
        UNION ALL SELECT project_id, 'executions' AS list, agent_id AS of_id, 0 AS n, 1 AS found FROM executions WHERE began_with IS NULL \
        UNION ALL SELECT project_id, 'sandbox_sessions' AS list, project_id AS of_id, 0 AS n, 1 AS found FROM sandbox_sessions \
        UNION ALL SELECT project_id, 'stored_bytes' AS list, project_id AS of_id, 0 AS n, length(bytes) AS found FROM upload_pieces \
        UNION ALL SELECT project_id, 'stored_bytes' AS list, project_id AS of_id, 0 AS n, octet_length(content) AS found FROM agent_snapshots \
        UNION ALL SELECT project_id, 'test_runs_of_case' AS list, case_id AS of_id, 0 AS n, 1 AS found FROM test_runs \
        UNION ALL SELECT project_id, 'test_runs_of_suite' AS list, suite_id AS of_id, 0 AS n, 1 AS found FROM test_runs \
        UNION ALL SELECT project_id, 'whatsapp_configs' AS list, project_id AS of_id, 0 AS n, 1 AS found FROM whatsapp_configs) AS everything \
        GROUP BY project_id, list, of_id HAVING SUM(n) <> SUM(found)"];
    OVERDUE = ["SELECT (SELECT count(*) FROM timers WHERE fire_at <= $1) + (SELECT count(*) FROM jobs WHERE run_at <= $1)"];
    NEXT_DUE = ["SELECT min(at) FROM (\
                 SELECT min(CASE WHEN due_at > lease_until THEN due_at ELSE lease_until + 1 END) AS at FROM conversations WHERE due_at IS NOT NULL \
                 UNION ALL SELECT min(CASE WHEN next_at > lease_until THEN next_at ELSE lease_until + 1 END) AS at FROM outbox \
                     WHERE state IN ('queued', 'sending', 'unknown') AND NOT EXISTS (SELECT 1 FROM outbox e \
                         WHERE e.project_id = outbox.project_id AND e.conversation_id = outbox.conversation_id \
                         AND e.out_seq < outbox.out_seq AND e.state IN ('queued', 'sending', 'unknown')) \
                 UNION ALL SELECT min(fire_at) AS at FROM timers UNION ALL SELECT min(run_at) AS at FROM jobs) AS everything"];
}

/// `now` decides what is overdue.
pub async fn read(conn: &mut Conn<'_>, now: i64) -> Result<Census> {
    let (mailbox,) = run!(conn, MAILBOX, [], fetch_one as (i64,))?;
    let (overdue,) = run!(conn, OVERDUE, [now], fetch_one as (i64,))?;
    Ok(Census {
        conversations: run!(conn, CONVERSATIONS, [], fetch_all as Conversation)?,
        messages: run!(conn, MESSAGES, [], fetch_all as Message)?,
        outbox: run!(conn, OUTBOX, [], fetch_all as Outbox)?,
        executions: run!(conn, EXECUTIONS, [], fetch_all as Execution)?,
        journal: run!(conn, JOURNAL, [], fetch_all as Step)?,
        mailbox,
        overdue,
    })
}

/// Numbers of rows that expire.
pub async fn expiring(conn: &mut Conn<'_>) -> Result<Expiring> {
    run!(conn, EXPIRING, [], fetch_one as Expiring)
}

/// Number of stored pieces of files.
pub async fn pieces(conn: &mut Conn<'_>) -> Result<i64> {
    Ok(run!(conn, PIECES, [], fetch_one as (i64,))?.0)
}

/// The next due time, leases included. Assumes that lease clock and injected clock agree.
pub async fn next_due(conn: &mut Conn<'_>) -> Result<Option<i64>> {
    Ok(run!(conn, NEXT_DUE, [], fetch_one as (Option<i64>,))?.0)
}

/// Must be empty whenever no transaction is open.
pub async fn wrong_counters(conn: &mut Conn<'_>) -> Result<Vec<WrongCounter>> {
    run!(conn, WRONG_COUNTERS, [], fetch_all as WrongCounter)
}
