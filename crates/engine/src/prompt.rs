//! The system prompt, and the step prompt of each visit.
//! Stable parts come first and the time comes last, so that providers can cache the beginning. The
//! texts are in `prompts/`.

use crate::{
    agent::Compiled,
    state::State,
    text::{escaped, without_comments},
    variable_values,
};
use domain::{
    Timestamp,
    agent::{
        Room,
        variables::{Destination, Sources, fill_within},
    },
    limits::{LABELS_BYTES, PROMPT_BYTES},
};
use serde_json::Value;
use std::{collections::BTreeSet, fmt::Write as _, sync::LazyLock};

const ROLE: &str = include_str!("../prompts/role.md");
const SPEAKING_V1: &str = include_str!("../prompts/speaking_v1.md");
const SPEAKING_V2: &str = include_str!("../prompts/speaking_v2.md");
const RULES: &str = include_str!("../prompts/rules.md");
/// Added where MCP servers of the node cannot be reached.
pub(crate) const SERVERS_UNAVAILABLE: &str = include_str!("../prompts/mcp_unavailable.md");
/// In place of a condition beyond the limit of all.
const CUT_LABEL: &str = "[truncated]";

static BEGINNING_V1: LazyLock<String> = LazyLock::new(|| [ROLE, SPEAKING_V1, RULES].map(without_comments).concat());
static BEGINNING_V2: LazyLock<String> = LazyLock::new(|| [ROLE, SPEAKING_V2, RULES].map(without_comments).concat());

/// A text with its variables filled in.
pub(crate) struct Prompt {
    pub(crate) text: String,
    /// Variables without a value.
    pub(crate) unknown: Vec<String>,
    /// A value was cut: the text would have been longer than its limit.
    pub(crate) truncated: bool,
}

/// The system prompt. Of the contact's own words it holds the profile name only, escaped.
pub(crate) fn system(agent: &Compiled, state: &State, at: Timestamp) -> Prompt {
    let mut room = Room::new(PROMPT_BYTES);
    let mut unknown = Vec::new();
    let mut text = if agent.sends_only_by_tools() { BEGINNING_V1.clone() } else { BEGINNING_V2.clone() };
    if let Some(instructions) = agent.system_prompt.as_deref().filter(|instructions| !instructions.trim().is_empty()) {
        let filled = filled(instructions, &variable_values::of_prompt(state, at), &mut room, &mut unknown);
        let _ = write!(text, "\n<general_instructions>\n{}\n</general_instructions>\n", filled.trim());
    }
    text.push_str(&contact(state, &mut room));
    let zone = state.contact.as_ref().and_then(|contact| contact.zone.as_ref());
    let now = zone.map_or_else(|| at.to_words(), |zone| at.to_words_in(&escaped(&zone.name), zone.minutes));
    let _ = write!(text, "\nNow: {now}\n");
    Prompt { text, unknown, truncated: room.is_exceeded() }
}

/// Fills a template within the room that is left.
fn filled(template: &str, context: &Value, room: &mut Room, unknown: &mut Vec<String>) -> String {
    let sources = Sources { context: Some(context), arguments: None };
    let filled = fill_within(template, sources, Destination::Prompt, room);
    unknown.extend(filled.unknown);
    filled.text
}

/// The contact context, escaped because people wrote it; empty if nothing is known.
fn contact(state: &State, room: &mut Room) -> String {
    let about = state.about();
    let mut text = String::new();
    let mut line = |words: String| {
        if !room.is_exceeded() {
            room.push(&mut text, &words);
            text.push('\n');
        }
    };
    for (label, value) in [("Name", state.profile_name()), ("Phone number", state.facts.phone_number.as_deref())] {
        if let Some(value) = value {
            line(format!("{label}: {}", escaped(value)));
        }
    }
    for (name, value) in &about.metadata {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        line(format!("{}: {}", escaped(name), escaped(&value)));
    }
    for note in &about.notes {
        let added = &note.created_at.to_iso()[..10];
        line(format!("Note: {}: {} (added {added})", escaped(&note.name), escaped(&note.content)));
    }
    if let Some(broadcast) = &about.broadcast {
        let [name, template, content] =
            [&broadcast.name, &broadcast.template_name, &broadcast.content].map(|text| escaped(text));
        let sent = broadcast.sent_at.to_words();
        line(format!("Replies to the broadcast {name} (template {template}, sent {sent}): {content}"));
        for (name, value) in &broadcast.parameters {
            line(format!("Broadcast parameter {}: {}", escaped(name), escaped(value)));
        }
    }
    if text.is_empty() { text } else { format!("\n<contact>\n{text}</contact>\n") }
}

/// The step prompt of the visited node.
pub(crate) fn step(agent: &Compiled, state: &State, context: &Value) -> Prompt {
    let mut room = Room::new(PROMPT_BYTES);
    let mut unknown = Vec::new();
    let mut text = format!("# Step: {}\n", state.visit.node);
    let Some(compiled) = agent.node(&state.visit.node) else { return Prompt { text, unknown, truncated: false } };
    let instructions = filled(&compiled.node.prompt, context, &mut room, &mut unknown);
    if !instructions.trim().is_empty() {
        let _ = write!(text, "\n## Instructions\n{}\n", instructions.trim());
    }
    if let Some(extra) = &compiled.behaviour.step_prompt {
        let _ = write!(text, "\n{}\n", extra.trim_end());
    }
    if let Some(servers) = state.unavailable() {
        let _ = writeln!(text, "\n{}", about_servers(servers, SERVERS_UNAVAILABLE));
    }
    let mut labels = Room::new(LABELS_BYTES);
    let targets = agent.targets(&state.visit.node, state.visit.triggering_node.as_deref());
    if !targets.is_empty() {
        text.push_str("\n## Next steps\n");
        for target in &targets {
            let condition = match target.condition.as_deref() {
                None => "when this step is done".into(),
                // The name alone still leads there.
                Some(_) if labels.is_exceeded() => CUT_LABEL.into(),
                Some(condition) => filled(condition, context, &mut labels, &mut unknown),
            };
            let _ = writeln!(text, "- {}: {}", target.name, condition.trim());
        }
        text.push_str("\nOnly these names are valid for MoveToNextNode.\n");
    }
    Prompt { text, unknown, truncated: room.is_exceeded() || labels.is_exceeded() }
}

/// A sentence about some MCP servers, after their names.
pub(crate) fn about_servers(servers: &BTreeSet<String>, text: &str) -> String {
    let names: Vec<&str> = servers.iter().map(String::as_str).collect();
    format!("{}: {}", names.join(", "), without_comments(text).trim())
}
