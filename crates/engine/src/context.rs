//! What `{{path}}` variables can see (engine.md 1.7).

use crate::state::State;
use domain::Timestamp;
use serde_json::{Value, json};

/// The values by namespace. Secrets are not among them: they are put in when a request leaves, so that no prompt, event or
/// journal can hold one.
pub(crate) fn of(state: &State, now: Timestamp) -> Value {
    let facts = &state.facts;
    json!({
        "contact": {"phone_number": facts.phone_number, "profile_name": facts.profile_name, "metadata": {}},
        "execution": {"id": facts.execution_id, "thread_id": facts.execution_id, "agent_id": facts.agent_id},
        "conversation": {"id": facts.conversation_id},
        "vars": facts.vars,
        "now": now.to_iso(),
        "last_user_input": state.last_input,
    })
}
