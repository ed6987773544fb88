//! Values of `{{path}}` variables (docs/spec/engine.md 1.7).

use crate::{state::State, text::escaped};
use domain::Timestamp;
use serde_json::{Map, Value, json};

/// The values by namespace. Secrets are missing: they are filled in when a request leaves, so no
/// prompt, event or journal can hold one.
pub(crate) fn of(state: &State, now: Timestamp) -> Value {
    filled(state, now, str::to_owned)
}

/// The same for text that the model reads: values that people chose are escaped.
pub(crate) fn of_prompt(state: &State, now: Timestamp) -> Value {
    filled(state, now, escaped)
}

fn filled(state: &State, now: Timestamp, person: fn(&str) -> String) -> Value {
    let facts = &state.facts;
    let text = |value: Option<&str>| value.map(person);
    let mut vars = facts.vars.clone();
    vars.extend(state.vars.clone());
    json!({
        "contact": {
            "phone_number": text(facts.phone_number.as_deref()),
            "profile_name": text(state.profile_name()),
            "metadata": each_text(&state.about().metadata, person),
        },
        "execution": {"id": facts.execution_id, "thread_id": facts.execution_id, "agent_id": facts.agent_id},
        "conversation": {"id": facts.conversation_id},
        "vars": each_text(&vars, person),
        "now": now.to_iso(),
        "last_user_input": text(state.last_input.as_deref()),
    })
}

/// The fields with every text in them changed, at any depth.
fn each_text(fields: &Map<String, Value>, change: fn(&str) -> String) -> Value {
    fn walk(value: &Value, change: fn(&str) -> String) -> Value {
        match value {
            Value::String(text) => Value::String(change(text)),
            Value::Array(items) => items.iter().map(|item| walk(item, change)).collect(),
            Value::Object(fields) => each_text(fields, change),
            other => other.clone(),
        }
    }
    fields.iter().map(|(name, value)| (name.clone(), walk(value, change))).collect()
}
