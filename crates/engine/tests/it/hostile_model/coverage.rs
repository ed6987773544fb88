//! Counts of the tools, codes and limits that a run has reached.
//!
//! The list of codes and limits is read from the sources, so a new one counts as missing until the hostile model reaches
//! it.

use crate::play::Play;
use domain::{
    chat::ChatMessage,
    execution::ExecutionStatus::Failed,
    message::{Content, Media},
};
use engine::{Effect, Input, State, Step, limits};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Codes and limits that a model cannot reach, with the reason.
const OUT_OF_REACH: [(&str, &str); 3] = [
    ("code webhook_not_mocked", "only in tests of an agent that wants it so: webhooks.rs"),
    ("code graph_invalid", "a graph is checked before it is saved"),
    ("code simulator_failed", "it ends a test run, which is no execution: trials.rs"),
];

#[derive(Debug, Default)]
pub struct Coverage(BTreeMap<String, u64>);

impl Coverage {
    pub fn hit(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    pub fn add(&mut self, other: Self) {
        for (what, count) in other.0 {
            *self.0.entry(what).or_default() += count;
        }
    }

    pub fn count(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or_default()
    }

    /// All counts, one a line.
    pub fn table(&self) -> String {
        self.0.iter().map(|(what, count)| format!("{count:>9}  {what}\n")).collect()
    }

    pub fn rarer_than(&self, least: u64, wanted: &BTreeSet<String>) -> Vec<String> {
        let rare = wanted.iter().filter(|what| self.count(what) < least);
        rare.map(|what| format!("{what}: {}", self.count(what))).collect()
    }

    /// Counts the events, results and effects of a step.
    pub fn of(&mut self, play: &Play, step: &Step) {
        for event in &step.events {
            self.hit(format!("event {}", event.name));
            let word = |field: &str| event.data[field].as_str().unwrap_or_default().to_owned();
            match event.name.as_str() {
                "warning" => self.hit(format!("code {}", word("code"))),
                "execution.status" if word("to") == "failed" => {
                    self.hit(format!("code {}", word("reason")));
                    self.limit_of_failure(&word("reason"));
                    if play.state.turn.unusable >= limits::UNUSABLE {
                        self.hit("limit UNUSABLE");
                    }
                }
                "execution.status" if word("reason") == "inactivity_timeout" => self.hit("limit INACTIVITY"),
                "llm.retried" => match event.data["wait_ms"].as_i64() {
                    Some(wait) if wait == limits::MODEL_RETRY_CAP.millis() => self.hit("limit MODEL_RETRY_CAP"),
                    Some(wait) if wait == limits::MODEL_RETRY_AFTER.millis() => self.hit("limit MODEL_RETRY_AFTER"),
                    _ => {}
                },
                "interrupt.created" if word("kind") == "idle" && play.state.turn.empty >= limits::EMPTY => {
                    self.hit("limit EMPTY")
                }
                "interrupt.created" if word("kind") == "idle" && play.state.turn.silent >= limits::SILENT => {
                    self.hit("limit SILENT")
                }
                "llm.failed" if (2..=5).contains(&event.data["failures"].as_u64().unwrap_or_default()) => {
                    let given_up = !step.events.iter().any(|event| event.name == "llm.retried");
                    if given_up && play.state.status() == Failed {
                        self.hit("limit MODEL_RETRY_TOTAL");
                    }
                }
                "llm.discarded" if play.state.turn.discarded == limits::DISCARDED => self.hit("limit DISCARDED"),
                _ => {}
            }
            if word("code") == "too_many_calls" {
                self.hit("limit CALLS");
            }
        }
        for entry in &step.history {
            match &entry.message {
                ChatMessage::Tool { content, .. } => self.result(play, content),
                ChatMessage::User { content, .. } if content.contains("This turn is getting long") => {
                    self.hit("limit STEPS_WRAP_UP");
                }
                _ => {}
            }
        }
        let sends: Vec<&str> = step
            .effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Send { content: Content::Text(text), .. } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        for effect in &step.effects {
            if matches!(effect, Effect::CallModel(call) if call.summarises) {
                self.hit("limit SUMMARISED");
            }
            if let Effect::Send { content: Content::Media(Media { caption: Some(caption), .. }), .. } = effect
                && caption.chars().count() > limits::CAPTION - 100
            {
                self.hit("limit CAPTION");
            }
        }
        if sends.iter().any(|text| text.chars().count() > limits::TEXT - 100) {
            self.hit("limit TEXT");
        }
        if sends.len() == limits::PIECES {
            self.hit("limit PIECES");
        }
    }

    fn limit_of_failure(&mut self, reason: &str) {
        let limit = match reason {
            "step_limit" => "STEPS",
            "node_step_limit" => "VISIT_CALLS",
            "routing_loop" => "ENTRIES",
            "routing_failed" => "BAD_MOVES",
            "send_failed" => "FAILED_SENDS",
            "turn_timeout" => "TURN_SECONDS",
            _ => return,
        };
        self.hit(format!("limit {limit}"));
    }

    fn result(&mut self, play: &Play, content: &str) {
        let Ok(result) = serde_json::from_str::<Value>(content) else { return };
        if let Some(code) = result["code"].as_str() {
            self.hit(format!("code {code}"));
            match code {
                "send_limit" => self.hit("limit SENDS"),
                "media_url_untrusted" if play.state.links.len() == limits::LINKS => self.hit("limit LINKS"),
                _ => {}
            }
        }
        if result["next_node"] == "NOT_FOUND" {
            self.hit("result NOT_FOUND");
        }
        if result["error"] == "skipped: routed away" {
            self.hit("result skipped: routed away");
        }
        if result["truncated"] == true {
            self.hit("limit TOOL_RESULT");
        }
        if result["already_done"] == true {
            self.hit("limit SHARED_RESULT");
        }
    }

    /// Counts limits of the variables that the first payload sets.
    pub fn variables(&mut self, inputs: &[Input], state: &State) {
        if state.vars.len() == limits::VARIABLES {
            self.hit("limit VARIABLES");
        }
        let given = inputs
            .iter()
            .filter_map(|input| if let Input::Data { value, .. } = input { value.as_object() } else { None });
        if given
            .flatten()
            .any(|(name, value)| value.to_string().len() > limits::VARIABLE && !state.vars.contains_key(name))
        {
            self.hit("limit VARIABLE");
        }
    }

    pub fn request(&mut self, play: &Play) {
        let Some(request) = play.requests.last() else { return };
        if request.messages.len() < play.history.len() {
            self.hit("limit HISTORY");
        }
        // The token limit cut more than the limit of messages does.
        if play.agent.limits.context_tokens < limits::CONTEXT_TOKENS
            && request.messages.len() < 12
            && play.history.len() > 20
        {
            self.hit("limit CONTEXT_TOKENS");
        }
        let pinned = |message: &ChatMessage| matches!(message, ChatMessage::Assistant { tool_calls, .. } if tool_calls.iter().any(|call| call.id == "call_pinned"));
        if request.messages.iter().any(pinned) {
            self.hit("limit PINNED");
        }
    }
}

/// The codes, events and limits that the engine's sources name.
pub fn named_in_sources() -> BTreeSet<String> {
    let mut found = BTreeSet::from(["result NOT_FOUND".to_owned(), "result skipped: routed away".to_owned()]);
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut |path, text| {
        if path.ends_with("limits.rs") {
            found.extend(after(text, "pub const ", ':').map(|name| format!("limit {name}")));
            return;
        }
        found.extend(after(text, "\"code\": \"", '"').map(|code| format!("code {code}")));
        found.extend(after(text, ".fail(\"", '"').map(|code| format!("code {code}")));
        found.extend(after(text, ".warn(\"", '"').map(|code| format!("code {code}")));
        found.extend(after(text, ".event(\"", '"').map(|name| format!("event {name}")));
    });
    found.retain(|what| !OUT_OF_REACH.iter().any(|(out, _)| out == what));
    found
}

fn after<'a>(text: &'a str, start: &'a str, end: char) -> impl Iterator<Item = &'a str> {
    text.match_indices(start).filter_map(move |(at, _)| text[at + start.len()..].split(end).next())
}

fn walk(folder: &Path, look: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, look);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            look(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}
