//! A store with one project, and common test data.

use domain::{
    Span, Timestamp,
    ids::{
        AgentId, ContactId, ConversationId, CustomerId, ExecutionId, Id, MessageId, OutboxId, ProjectId, SnapshotId,
    },
    message::{Direction, MessageOrigin},
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use store::{
    Conn, Store, agents, contacts, conversations, customers, executions, messages, outbox, projects, transact,
};
use testkit::database::TestDatabase;
use tokio::sync::Barrier;
use uuid::Uuid;

pub const NOW: Timestamp = Timestamp::from_secs(1_750_000_000);
pub const NUMBER: &str = "106540352242922";

/// `NOW` and some seconds.
pub fn later(seconds: i64) -> Timestamp {
    NOW + Span::from_secs(seconds)
}

/// A new id, greater than all earlier ones of this process.
pub fn fresh<T>() -> Id<T> {
    Id::from_uuid(fresh_uuid())
}

pub fn fresh_uuid() -> Uuid {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u128(u128::from(COUNT.fetch_add(1, Ordering::Relaxed)))
}

pub struct World {
    pub store: Store,
    pub project: ProjectId,
    pub database: TestDatabase,
}

impl World {
    pub async fn new() -> Self {
        Self::on(TestDatabase::new().await).await
    }

    pub async fn on(database: TestDatabase) -> Self {
        let world = Self { store: database.open().await, project: fresh(), database };
        world.add_project(world.project).await;
        world
    }

    pub async fn add_project(&self, id: ProjectId) {
        transact!(self.store, "test", tx => projects::insert(tx, id, "Acme", NOW).await).expect("a project");
    }

    /// A contact's first message to the number.
    pub async fn conversation(&self) -> ConversationId {
        let contact = self.contact().await;
        let touch = touch(contact);
        transact!(self.store, "test", tx => conversations::touch(tx, self.project, &touch).await)
            .expect("a conversation")
            .id
    }

    pub async fn contact(&self) -> ContactId {
        let (id, seen) = (fresh(), contacts::Seen::default());
        let identity = contacts::Identity::phone_number(fresh_uuid().to_string());
        transact!(self.store, "test", tx => contacts::ensure(tx, self.project, std::slice::from_ref(&identity), id, &seen, NOW).await)
            .expect("a contact")
    }

    pub async fn customer(&self) -> CustomerId {
        let id = fresh();
        let row = customers::CustomerRow {
            id,
            name: "Clinic".into(),
            external_customer_id: None,
            metadata: "{}".into(),
            created_at: NOW,
            updated_at: NOW,
        };
        transact!(self.store, "test", tx => customers::insert(tx, self.project, &row).await).expect("a customer");
        id
    }

    pub async fn agent(&self) -> AgentId {
        let id = fresh();
        let row = agents::AgentRow {
            id,
            name: "x".into(),
            description: None,
            system_prompt: None,
            message_debounce_seconds: 0,
            agent_version: 2,
            llm_config: None,
            limits: None,
            enabled_tools: None,
            webhooks_in_tests: None,
            graph: "{}".into(),
            snapshot_id: self.snapshot(id, "{}").await,
            version: 1,
            created_at: NOW,
            updated_at: NOW,
        };
        transact!(self.store, "test", tx => agents::insert(tx, self.project, &row).await).expect("an agent");
        id
    }

    pub async fn message(&self, conversation: ConversationId, direction: Direction) -> MessageId {
        let id = fresh();
        transact!(self.store, "test", tx => {
            let row = conversations::next_seq(tx, self.project, conversation, NOW).await?.expect("a conversation");
            let message = messages::NewMessage {
                id,
                seq: row.next_seq,
                direction,
                origin: MessageOrigin::Contact,
                author: None,
                kind: "text",
                content: "hello",
                raw: None,
                wamid: None,
                wa_timestamp: None,
                execution: None,
                now: NOW,
            };
            messages::insert(tx, self.project, conversation, &message).await
        })
        .expect("a message");
        id
    }

    /// An outbox entry, last in its conversation.
    pub async fn intent(&self, conversation: ConversationId, source_key: &str) -> Result<OutboxId, store::Error> {
        self.intent_of(conversation, source_key, None).await
    }

    /// An outbox entry of an execution, or of none.
    pub async fn intent_of(
        &self,
        conversation: ConversationId,
        source_key: &str,
        execution: Option<ExecutionId>,
    ) -> Result<OutboxId, store::Error> {
        let message = self.message(conversation, Direction::Outbound).await;
        let id = fresh();
        transact!(self.store, "test", tx => {
            let next = conversations::next_out(tx, self.project, conversation, NOW).await?.expect("a conversation");
            let new = outbox::NewOutbox {
                id,
                conversation,
                out_seq: next.next_out_seq,
                source_key,
                message,
                waiting: execution.map(|execution| (execution, source_key)),
                phone_number_id: NUMBER,
                payload: "{}",
                policy: outbox::Policy::Retry,
                patience: Span::from_mins(15),
                not_before: NOW,
                now: NOW,
            };
            outbox::insert(tx, self.project, &new).await
        })?;
        Ok(id)
    }

    pub async fn snapshot(&self, agent: AgentId, content: &str) -> SnapshotId {
        let new = fresh();
        transact!(self.store, "test", tx => {
            store::agents::ensure_snapshot(&mut tx.scope(self.project, NOW), agent, new, content.as_bytes(), content).await
        })
        .expect("a snapshot")
    }

    pub async fn execution(&self, agent: AgentId, conversation: ConversationId) -> Result<ExecutionId, store::Error> {
        let snapshot = self.snapshot(agent, "{}").await;
        let (id, phone_number, first_message) = (fresh(), None, None);
        let new = executions::NewExecution { id, agent, snapshot, conversation, phone_number, first_message, now: NOW };
        transact!(self.store, "test", tx => executions::insert(tx, self.project, &new).await)?;
        Ok(new.id)
    }

    /// Runs any statement.
    pub async fn execute(&self, sql: &'static str) -> u64 {
        transact!(self.store, "test", tx => execute(tx, sql).await).expect(sql)
    }

    /// Runs a query that returns one number.
    pub async fn number(&self, sql: &'static str) -> i64 {
        let mut reader = self.store.read().await.expect("a reader");
        let (number,): (i64,) = match reader.conn() {
            Conn::Sqlite(conn) => conn.query_row(sql, [], |row| Ok((row.get(0)?,))).expect(sql),
            Conn::Postgres(conn) => sqlx::query_as(sql).fetch_one(conn).await.expect(sql),
        };
        number
    }
}

pub async fn execute(tx: &mut store::Tx<'_>, sql: &str) -> Result<u64, store::Error> {
    Ok(match &mut **tx {
        // A PRAGMA gives rows, which must be read.
        Conn::Sqlite(conn) => {
            let mut statement = conn.prepare(sql)?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
            conn.changes()
        }
        Conn::Postgres(conn) => sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut **conn).await?.rows_affected(),
    })
}

pub fn touch(contact: ContactId) -> conversations::Touch<'static> {
    conversations::Touch {
        new_id: fresh(),
        phone_number_id: NUMBER,
        contact,
        config: None,
        phone_number: None,
        contact_name: None,
        agent: None,
        inbound_at: Some(NOW),
        now: NOW,
    }
}

/// Runs `count` tasks that start together; returns their results.
pub async fn at_once<T, F>(count: usize, task: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(count));
    let mut running = Vec::new();
    for n in 0..count {
        let (start, work) = (start.clone(), task(n));
        running.push(tokio::spawn(async move {
            start.wait().await;
            work.await
        }));
    }
    let mut answers = Vec::new();
    for task in running {
        answers.push(task.await.expect("no task panics"));
    }
    answers
}
