//! Loading executions: their agent, their facts and the state that they begin with.

use crate::{Context, json::from_json};
use domain::{
    ids::{AgentId, ExecutionId, ProjectId, SnapshotId},
    json::{VALUE_BYTES, values_in},
};
use engine::{AgentContent, CompileError, Compiled, Facts};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{Conn, Error, Result, agents, conversations::ConversationRow};

/// A stored initial state, for executions that do not begin empty.
#[derive(Serialize, Deserialize)]
pub(crate) struct InitialState {
    pub(crate) format: i64,
    pub(crate) state: serde_json::Value,
}

/// The facts of the conversation that an execution starts with.
pub(crate) fn facts(id: ExecutionId, agent_id: AgentId, conversation: &ConversationRow) -> Facts {
    Facts {
        agent_id,
        execution_id: id,
        conversation_id: conversation.id,
        phone_number: conversation.phone_number.clone(),
        profile_name: conversation.contact_name.clone(),
        vars: Default::default(),
        about: Default::default(),
        test_mode: false,
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
    // The texts twice, as a graph and compiled, and its parsed values.
    let bytes = 2 * text.len() + values_in(text.as_bytes()) * VALUE_BYTES;
    if let Ok(agent) = &agent {
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

fn compiled(text: &str) -> Result<std::result::Result<Arc<Compiled>, CompileError>> {
    let content: AgentContent = from_json("snapshot", text)?;
    Ok(Compiled::new(&content).map(Arc::new))
}
