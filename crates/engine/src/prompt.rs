//! What the model is told: the system prompt and the step prompt of each visit.
//!
//! Stable parts come first and the time comes last, so that providers can cache the beginning. The words are in
//! `prompts/`; this file only puts them together.

use crate::{compile::Compiled, context, nodes, state::State, turn::Turn};
use domain::{
    Timestamp,
    agent::variables::{Place, fill_context},
};
use serde_json::Value;
use std::fmt::Write as _;

const RULES: &str = include_str!("../prompts/system.md");

/// The system prompt. The person's own words are not in it, except the name on the profile, which is escaped.
pub(crate) fn system(agent: &Compiled, state: &State, at: Timestamp) -> String {
    let mut text = without_comments(RULES);
    if let Some(instructions) = agent.system_prompt.as_deref().filter(|instructions| !instructions.trim().is_empty()) {
        let filled = fill_context(instructions, &context::of_prompt(state, at), Place::Prompt).text;
        let _ = write!(text, "\n<general_instructions>\n{}\n</general_instructions>\n", filled.trim());
    }
    let facts = &state.facts;
    if facts.phone_number.is_some() || facts.profile_name.is_some() {
        text.push_str("\n<contact>\n");
        for (label, value) in [("Name", &facts.profile_name), ("Phone number", &facts.phone_number)] {
            if let Some(value) = value {
                let _ = writeln!(text, "{label}: {}", context::escaped(value));
            }
        }
        text.push_str("</contact>\n");
    }
    let _ = write!(text, "\nNow: {}\n", at.to_words());
    text
}

/// The step prompt of the node being visited, and the variables in it that have no value.
pub(crate) fn step(agent: &Compiled, state: &State, context: &Value) -> (String, Vec<String>) {
    let mut unknown = Vec::new();
    let mut fill = |template: &str| {
        let filled = fill_context(template, context, Place::Prompt);
        unknown.extend(filled.unknown);
        filled.text
    };
    let mut text = format!("# Step: {}\n", state.node);
    let Some(compiled) = agent.node(&state.node) else { return (text, unknown) };
    let instructions = fill(&compiled.node.prompt);
    if !instructions.trim().is_empty() {
        let _ = write!(text, "\n## Instructions\n{}\n", instructions.trim());
    }
    if let Some(extra) = nodes::step_prompt(&compiled.node) {
        let _ = write!(text, "\n{}\n", extra.trim_end());
    }
    let targets = agent.targets(&state.node, state.triggering_node.as_deref());
    if !targets.is_empty() {
        text.push_str("\n## Next steps\n");
        for target in &targets {
            let condition =
                target.condition.as_deref().map(&mut fill).unwrap_or_else(|| "when this step is done".into());
            let _ = writeln!(text, "- {}: {}", target.name, condition.trim());
        }
        text.push_str("\nOnly these names are valid for MoveToNextNode.\n");
    }
    (text, unknown)
}

/// Prompt files say in HTML comments which failure a sentence guards; the model need not read that.
pub(crate) fn without_comments(text: &str) -> String {
    let mut rest = text;
    let mut out = String::with_capacity(text.len());
    while let Some((before, after)) = rest.split_once("<!--") {
        out.push_str(before);
        rest = after.split_once("-->").map_or("", |(_, after)| after.trim_start_matches('\n'));
    }
    out.push_str(rest);
    out
}

impl Turn<'_> {
    /// The places that the visit may lead to.
    pub(crate) fn targets(&self) -> Vec<crate::Target> {
        self.agent.targets(&self.state.node, self.state.triggering_node.as_deref())
    }
}
