//! Loading executions: their agent, their facts and the state that they begin with.

use crate::{Context, json::from_json};
use domain::{
    agent::LlmConfig,
    chat::ChatMessage,
    ids::{AgentId, ExecutionId, ProjectId, SnapshotId},
    json::{VALUE_BYTES, values_in},
};
use engine::{AgentContent, CallModel, CompileError, Compiled, Facts, RULES};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use store::{Conn, Error, Result, agents, conversations::ConversationRow, history};

/// A stored initial state, for executions that do not begin empty.
#[derive(Serialize, Deserialize)]
pub(crate) struct InitialState {
    pub(crate) format: i64,
    pub(crate) state: serde_json::Value,
}

/// The facts of the conversation that an execution starts with.
pub(crate) fn facts(ctx: &Context, id: ExecutionId, agent_id: AgentId, conversation: &ConversationRow) -> Facts {
    Facts {
        agent_id,
        execution_id: id,
        conversation_id: conversation.id,
        phone_number: conversation.phone_number.clone(),
        profile_name: conversation.contact_name.clone(),
        vars: Default::default(),
        about: Default::default(),
        test_mode: false,
        without_channel: conversation.phone_number_id.is_empty(),
        rules: RULES,
        keep_markdown: false,
        model: Some(ctx.model.describe()),
    }
}

/// The compiled agent of a snapshot, or the reason why it cannot run. Compiled agents are cached.
pub(crate) async fn agent(
    ctx: &Context,
    conn: &mut Conn<'_>,
    project: ProjectId,
    snapshot: SnapshotId,
) -> Result<std::result::Result<Arc<Compiled>, CompileError>> {
    if let Some(agent) = ctx.compiled(snapshot) {
        return Ok(Ok(agent));
    }
    let text = snapshot_text(conn, project, snapshot).await?;
    let agent = compiled(&text)?;
    if let Ok(agent) = &agent {
        // The texts twice, as a graph and compiled, and its parsed values.
        let bytes = 2 * text.len() + values_in(text.as_bytes()) * VALUE_BYTES + agent.added_bytes();
        ctx.keep_compiled(snapshot, agent, bytes);
    }
    Ok(agent)
}

/// As [`agent`], without the cache.
pub(crate) async fn compile(
    conn: &mut Conn<'_>,
    project: ProjectId,
    snapshot: SnapshotId,
) -> Result<std::result::Result<Arc<Compiled>, CompileError>> {
    compiled(&snapshot_text(conn, project, snapshot).await?)
}

async fn snapshot_text(conn: &mut Conn<'_>, project: ProjectId, snapshot: SnapshotId) -> Result<String> {
    let text = agents::snapshot(conn, project, snapshot).await?;
    text.ok_or_else(|| Error::Damaged { what: "snapshot", why: "it is missing".into() })
}

/// The agent's default model, for the simulated user and the judge of its test runs. Without the
/// settings of an answer: a judge needs more room and less heat than an agent.
pub(crate) async fn model(conn: &mut Conn<'_>, project: ProjectId, snapshot: SnapshotId) -> Result<LlmConfig> {
    #[derive(Deserialize)]
    struct Content {
        #[serde(default)]
        llm_config: Option<Map<String, Value>>,
    }
    let content: Content = from_json("snapshot", &snapshot_text(conn, project, snapshot).await?)?;
    let llm = content.llm_config.as_ref().map(LlmConfig::read).unwrap_or_default();
    Ok(LlmConfig { temperature: None, max_tokens: None, ..llm })
}

fn compiled(text: &str) -> Result<std::result::Result<Arc<Compiled>, CompileError>> {
    let content: AgentContent = from_json("snapshot", text)?;
    Ok(Compiled::new(&content).map(Arc::new))
}

/// The history rows that a model request includes.
pub(crate) async fn history_window(
    conn: &mut Conn<'_>,
    project: ProjectId,
    execution: ExecutionId,
    call: &CallModel,
) -> Result<Vec<(i64, ChatMessage)>> {
    let mut rows = history::window(conn, project, execution, call.from).await?;
    for pinned in [call.first_input, call.step_prompt].into_iter().flatten().filter(|seq| *seq < call.from) {
        rows.extend(history::one(conn, project, execution, pinned).await?);
    }
    rows.into_iter().map(|row| Ok((row.seq, from_json("history", &row.entry)?))).collect()
}
