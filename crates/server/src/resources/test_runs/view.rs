//! API representation of a test run.

use crate::{
    ApiError,
    api::{Time, words},
    resources::test_cases::TestCase,
    resources::test_chats::ChatMessage,
};
use domain::ids::ProjectId;
use engine::{judge, trial::Trial};
use runtime::{json::from_json, trials};
use serde::Serialize;
use serde_json::Value;
use store::{Conn, history, test_cases, test_runs::TestRunRow};
use utoipa::ToSchema;
use uuid::Uuid;

/// One judged run of one test case.
#[derive(Serialize, ToSchema)]
pub(crate) struct AgentTestRun {
    id: Uuid,
    /// Execution of the agent; null before it starts.
    thread_id: Option<Uuid>,
    #[schema(value_type = TestRunStatus)]
    status: String,
    started_at: Option<Time>,
    ended_at: Option<Time>,
    /// 0.00 to 1.00; null before grading and if the judge failed.
    #[schema(minimum = 0)]
    score: Option<f64>,
    /// Feedback of the judge in Markdown.
    feedback: Option<String>,
    /// True if the conversation ended without a failure of the agent.
    execution_completed: bool,
    /// True if a limit ended the conversation: 30 user messages, 10 minutes, or 200,000 tokens.
    limit_reached: bool,
    token_usage: TestRunTokens,
    error: Option<TestRunError>,
    created_at: Time,
    updated_at: Time,
    test_case: TestCase,
    /// Messages of both sides, oldest first; null before the start and in lists.
    conversation: Option<Vec<ChatMessage>>,
    /// Model history of the agent in OpenAI's chat format; null before the start and in lists.
    #[schema(value_type = Option<Vec<serde_json::Map<String, Value>>>)]
    full_history: Option<Vec<Value>>,
}

words!(TestRunStatus = "queued", "running", "completed", "error");

/// Tokens of agent, simulated user and judge.
#[derive(Serialize, ToSchema)]
struct TestRunTokens {
    #[schema(minimum = 0)]
    input_tokens: u64,
    #[schema(minimum = 0)]
    output_tokens: u64,
    #[schema(minimum = 0)]
    total_tokens: u64,
}

/// Failure of a run.
#[derive(Serialize, ToSchema)]
struct TestRunError {
    /// `judge_failed`, `simulator_failed`, `cancelled`, or the code of the agent's failure.
    r#type: String,
    message: String,
}

impl AgentTestRun {
    /// Version for lists, without messages.
    pub(super) async fn in_list(conn: &mut Conn<'_>, project: ProjectId, row: &TestRunRow) -> Result<Self, ApiError> {
        let case = test_cases::find(conn, project, row.case_id).await?.ok_or(ApiError::NotFound("Test case"))?;
        let trial: Trial = from_json("test run", &row.state)?;
        let mut usage = trial.usage;
        usage.add(trial.agent_usage);
        Ok(Self {
            id: row.id.uuid(),
            thread_id: row.conversation_id.map(|_| row.execution_id.uuid()),
            status: row.status.to_string(),
            started_at: row.started_at.map(Time),
            ended_at: row.ended_at.map(Time),
            score: trial.verdict.as_ref().map(judge::Verdict::score),
            feedback: trial.verdict.map(|verdict| verdict.feedback),
            execution_completed: trial.completed,
            limit_reached: trial.limit_reached,
            token_usage: TestRunTokens {
                input_tokens: usage.input_tokens,
                output_tokens: usage.output_tokens,
                total_tokens: usage.input_tokens + usage.output_tokens,
            },
            error: trial.error.map(|error| TestRunError { r#type: error.kind, message: error.message }),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            test_case: TestCase::of(&case),
            conversation: None,
            full_history: None,
        })
    }

    pub(super) async fn of(conn: &mut Conn<'_>, project: ProjectId, row: &TestRunRow) -> Result<Self, ApiError> {
        let mut run = Self::in_list(conn, project, row).await?;
        let Some(conversation) = row.conversation_id else {
            // Started, without messages yet.
            let nothing_yet = row.started_at.is_some();
            run.conversation = nothing_yet.then(Vec::new);
            run.full_history = nothing_yet.then(Vec::new);
            return Ok(run);
        };
        let lines = trials::lines(conn, project, conversation).await?;
        run.conversation = Some(lines.into_iter().map(ChatMessage::from).collect());
        let mut log = Vec::new();
        for row in history::window(conn, project, row.execution_id, 1).await? {
            log.push(judge::entry_of(&from_json("history", &row.entry)?));
        }
        run.full_history = Some(log);
        Ok(run)
    }
}
