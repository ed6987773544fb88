//! `kb_retrieval`: passages from a knowledge base of the node. The search is an effect; its result
//! is journaled, so a replay does not search.

use super::{
    built_in::{BuiltIn, stays},
    schema::{object, text_of},
};
use crate::{agent::CompiledNode, effect::Effect, input::Retrieval, state::Pending, step_builder::StepBuilder};
use domain::{chat::ToolCall, tool_names::KB_RETRIEVAL};
use serde_json::{Map, Value, json};

const QUERIES: usize = 5;
/// Characters of a query that are used.
const LETTERS: usize = 1_000;

pub(super) static TOOL: BuiltIn = BuiltIn {
    name: KB_RETRIEVAL,
    description: "Searches a knowledge base of this step and gives the passages that fit best.",
    parameters,
    offered: |context| !context.node.kind.tools().knowledge_bases.is_empty(),
    leads_out: stays,
    run,
};

fn parameters() -> Value {
    let properties = json!({
        "queries": {"type": "array", "items": {"type": "string"}, "maxItems": QUERIES,
            "description": "one to five short searches, in words that the text would use"},
        "knowledge_base_key": {"type": "string", "description": "the key of the knowledge base"},
    });
    object(properties, &["queries", "knowledge_base_key"])
}

fn run(step: &mut StepBuilder<'_>, call: &ToolCall, arguments: &Map<String, Value>) {
    let node = step.agent.node(&step.state.visit.node);
    let wanted = text_of(arguments, "knowledge_base_key");
    let Some(base) = node.and_then(|node| node.knowledge(&wanted)) else {
        let keys = node.map(CompiledNode::knowledge_keys).unwrap_or_default();
        let error = format!("there is no knowledge base of this key here; there are: {}", keys.join(", "));
        let result = json!({"error": error, "code": "unknown_knowledge_base", "available_keys": keys});
        return step.answer_first_call(call, result);
    };
    let given = arguments.get("queries").and_then(Value::as_array).into_iter().flatten();
    let queries: Vec<String> = given
        .filter_map(|query| query.as_str().map(str::trim).filter(|query| !query.is_empty()))
        .map(|query| query.chars().take(LETTERS).collect())
        .collect();
    if queries.is_empty() {
        return step
            .answer_first_call(call, json!({"error": "no queries: say what to look for", "code": "no_queries"}));
    }
    let base = base.key.clone();
    step.retrieve(call, base, queries);
}

impl StepBuilder<'_> {
    /// Requests a search; its result becomes the call's result.
    fn retrieve(&mut self, call: &ToolCall, base: String, queries: Vec<String>) {
        let effect = self.effect_id();
        self.set_pending(Pending::Retrieval {
            effect: effect.clone(),
            call: call.clone(),
            base: base.clone(),
            queries: queries.clone(),
            since: self.at,
        });
        self.effect(Effect::Retrieve { id: effect, node: self.state.visit.node.clone(), base, queries });
    }
}

/// The result for the model. Passages are untrusted: they stay inside JSON strings, where they
/// cannot begin a line.
pub(crate) fn result(retrieval: &Retrieval) -> Value {
    match retrieval {
        Retrieval::Found { passages } => json!({"results": passages}),
        Retrieval::Failed => json!({"error": "the knowledge base cannot be searched now", "code": "retrieval_failed"}),
    }
}
