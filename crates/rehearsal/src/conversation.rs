//! The request as a conversation: who said what, which step we are in, what the tools answered.
//!
//! Covers both agent versions. In version 2 a person's text is a user message and plain text of the model is said; in
//! version 1 texts arrive as results of `handle_user_message` or `AskUserForInput` and only tools speak. Work is bounded:
//! the last 60 messages and the last 2,000 characters of each text are read, however long they are.

use std::borrow::Cow;

use domain::chat::{ChatMessage, ModelRequest, ToolCall};
use serde_json::Value;

use super::step_prompt::StepPrompt;

const LAST_MESSAGES: usize = 60;
const LAST_CHARACTERS: usize = 2_000;

/// Tools with a meaning of their own; every other tool fetches or changes data.
const CONTROL_TOOLS: &[&str] = &[
    "send_notification_to_user",
    "send_media_message",
    "AskUserForInput",
    "MoveToNextNode",
    "EnterIdleState",
    "WaitForUser",
    "get_execution_metadata",
    "SendWhatsappTemplateMessage",
    "handle_user_message",
    "send_external_message",
    "StopExecution",
    "Abort",
    "webhook_request",
    "file_read",
    "file_write",
    "file_str_replace",
    "file_find_in_content",
    "file_find_by_name",
];

/// One thing that happened, oldest first.
#[derive(Debug)]
pub(super) enum Entry<'a> {
    /// The person wrote.
    Person(Cow<'a, str>),
    /// The system passed something on, for example because a human has handed the conversation back.
    SystemData,
    /// The agent's side said something.
    Said(&'a str),
    /// A node was entered.
    Step(StepPrompt<'a>),
    /// A move was refused.
    Refused(&'a str),
    /// A data tool answered.
    Result { tool: &'a str, arguments: &'a Value, content: &'a str },
}

/// What the model knows.
#[derive(Debug)]
pub(super) struct Conversation<'a> {
    pub(super) entries: Vec<Entry<'a>>,
    /// The step we are in.
    pub(super) step: Option<StepPrompt<'a>>,
    /// Index of the newest entry that came from outside.
    last_input: Option<usize>,
    /// Index of the newest entry that the person could read.
    last_said: Option<usize>,
}

/// Whether a tool fetches or changes data.
pub(super) fn is_data_tool(name: &str) -> bool {
    !CONTROL_TOOLS.contains(&name)
}

/// Whether texts are asked through a tool, as agents of version 1 do.
pub(super) fn asks_by_tool(request: &ModelRequest) -> bool {
    let offered = |name: &str| request.tools.iter().any(|tool| tool.name == name);
    offered("AskUserForInput") && !offered("WaitForUser")
}

impl<'a> Conversation<'a> {
    pub(super) fn read(request: &'a ModelRequest) -> Self {
        let silent = asks_by_tool(request);
        let start = request.messages.len().saturating_sub(LAST_MESSAGES);
        let mut entries = Vec::new();
        let mut calls: Vec<&ToolCall> = Vec::new();
        for (index, message) in request.messages.iter().enumerate().skip(start) {
            match message {
                ChatMessage::User { content } if content.starts_with("[system note]") => note(content, &mut entries),
                ChatMessage::User { content } => entries.push(outside(content)),
                ChatMessage::Assistant { content, tool_calls } => {
                    if let Some(content) = content.as_deref().filter(|content| !content.trim().is_empty()) {
                        match StepPrompt::parse(content) {
                            // Only version 1 shows step prompts so: in version 2 this is text that somebody said.
                            Some(step) if silent => entries.push(Entry::Step(step)),
                            _ if silent => {}
                            _ => entries.push(Entry::Said(tail(content, LAST_CHARACTERS))),
                        }
                    }
                    entries.extend(tool_calls.iter().filter_map(spoken).map(Entry::Said));
                    calls.extend(tool_calls);
                }
                ChatMessage::Tool { call_id, content } => {
                    let call = calls.iter().rev().find(|call| call.id == *call_id).copied();
                    let repeated = matches!(request.messages.get(index + 1), Some(ChatMessage::User { .. }));
                    entries.extend(result(call, content, repeated));
                }
            }
        }
        let step = current_step(&entries).or_else(|| earlier_step(&request.messages[..start]));
        let last_input = entries.iter().rposition(|entry| matches!(entry, Entry::Person(_) | Entry::SystemData));
        let last_said = entries.iter().rposition(|entry| matches!(entry, Entry::Said(_)));
        Self { entries, step, last_input, last_said }
    }

    /// Everything the person wrote, oldest first.
    pub(super) fn person_texts(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Person(text) => Some(text.as_ref()),
            _ => None,
        })
    }

    /// What the person wrote and nobody has answered, joined as a burst is.
    pub(super) fn unanswered(&self) -> Option<String> {
        let from = self.entries.iter().rposition(|entry| matches!(entry, Entry::Said(_) | Entry::SystemData));
        let texts: Vec<&str> = self.entries[from.map_or(0, |index| index + 1)..]
            .iter()
            .filter_map(|entry| match entry {
                Entry::Person(text) => Some(text.as_ref()),
                _ => None,
            })
            .collect();
        (!texts.is_empty()).then(|| tail(&texts.join("\n"), LAST_CHARACTERS).to_owned())
    }

    /// What the agent's side said last.
    pub(super) fn last_said(&self) -> Option<&'a str> {
        self.last_said.and_then(|index| match &self.entries[index] {
            Entry::Said(text) => Some(*text),
            _ => None,
        })
    }

    /// Everything said by the agent's side.
    pub(super) fn said(&self) -> impl Iterator<Item = &'a str> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Said(text) => Some(*text),
            _ => None,
        })
    }

    /// Whether the newest input is system data and still waits for an answer.
    pub(super) fn handed_back(&self) -> bool {
        self.last_input > self.last_said
            && self.last_input.is_some_and(|index| matches!(self.entries[index], Entry::SystemData))
    }

    /// Entries of this turn: all since the newest input.
    pub(super) fn turn(&self) -> &[Entry<'a>] {
        self.last_input.map_or(&self.entries[..], |index| &self.entries[index + 1..])
    }

    /// Entries since the agent's side last spoke.
    pub(super) fn since_said(&self) -> &[Entry<'a>] {
        self.last_said.map_or(&self.entries[..], |index| &self.entries[index + 1..])
    }

    /// Entries since the current step was entered.
    pub(super) fn visit(&self) -> &[Entry<'a>] {
        let entered = self.entries.iter().rposition(|entry| matches!(entry, Entry::Step(_)));
        entered.map_or(&self.entries[..], |index| &self.entries[index + 1..])
    }

    /// Names of the steps entered in this turn, and of the one it began in.
    pub(super) fn visited(&self) -> Vec<&'a str> {
        let before = self.last_input.map_or(&self.entries[..0], |index| &self.entries[..index]);
        let mut names: Vec<&str> = before.iter().rev().find_map(step_name).into_iter().collect();
        names.extend(self.turn().iter().filter_map(step_name));
        names.extend(self.step.as_ref().map(|step| step.name));
        names
    }

    /// The condition under which another step led here in this turn.
    pub(super) fn entered_because(&self) -> Option<&'a str> {
        self.turn().iter().rposition(|entry| matches!(entry, Entry::Step(_)))?;
        let mut steps = self.entries.iter().rev().filter_map(|entry| match entry {
            Entry::Step(step) => Some(step),
            _ => None,
        });
        let (here, before) = (steps.next()?, steps.next()?);
        Some(before.condition(here.name))
    }
}

fn step_name<'a>(entry: &Entry<'a>) -> Option<&'a str> {
    match entry {
        Entry::Step(step) => Some(step.name),
        _ => None,
    }
}

fn current_step<'a>(entries: &[Entry<'a>]) -> Option<StepPrompt<'a>> {
    entries.iter().rev().find_map(|entry| match entry {
        Entry::Step(step) => Some(step.clone()),
        _ => None,
    })
}

/// A step of a long visit may have been entered before the messages we read.
fn earlier_step(messages: &[ChatMessage]) -> Option<StepPrompt<'_>> {
    messages.iter().rev().find_map(|message| match message {
        ChatMessage::Tool { content, .. } => StepPrompt::parse(content),
        _ => None,
    })
}

/// The engine's word about our own answers. What was not delivered was not said, so it is said again.
fn note(content: &str, entries: &mut Vec<Entry>) {
    if content.contains("not delivered")
        && let Some(index) = entries.iter().rposition(|entry| matches!(entry, Entry::Said(_)))
    {
        entries.remove(index);
    }
}

fn outside(content: &str) -> Entry<'_> {
    if content.trim_start().starts_with("[system data]") {
        return Entry::SystemData;
    }
    Entry::Person(Cow::Borrowed(tail(content, LAST_CHARACTERS)))
}

/// What a call says to the person.
fn spoken(call: &ToolCall) -> Option<&str> {
    let speaks = ["send_notification_to_user", "AskUserForInput", "EnterIdleState", "send_external_message"];
    if !speaks.contains(&call.name.as_str()) {
        return None;
    }
    let message = call.arguments.get("message")?.as_str()?;
    (!message.trim().is_empty()).then(|| tail(message, LAST_CHARACTERS))
}

/// What a tool result stands for. `repeated`: a user message with the same text follows.
fn result<'a>(call: Option<&'a ToolCall>, content: &'a str, repeated: bool) -> Option<Entry<'a>> {
    let name = call.map_or("MoveToNextNode", |call| call.name.as_str());
    match name {
        "MoveToNextNode" => StepPrompt::parse(content).map(Entry::Step).or_else(|| {
            let answer: Value = serde_json::from_str(tail(content, 64 * 1024)).ok()?;
            let refused = answer.get("next_node")?.as_str()? == "NOT_FOUND";
            let tried = call?.arguments.get("next_node")?.as_str()?;
            refused.then_some(Entry::Refused(tried))
        }),
        "WaitForUser" if repeated => None,
        "handle_user_message" | "AskUserForInput" | "EnterIdleState" | "WaitForUser" => Some(reply(content)),
        _ if is_data_tool(name) => {
            call.map(|call| Entry::Result { tool: call.name.as_str(), arguments: &call.arguments, content })
        }
        _ => None,
    }
}

/// The person's answer to a question asked by tool: plain, or an object with the text.
fn reply(content: &str) -> Entry<'_> {
    // JSON longer than any message a person could send is read as plain text.
    let parsed = (content.len() <= 64 * 1024).then(|| serde_json::from_str::<Value>(content));
    match parsed {
        Some(Ok(Value::Object(object))) => match object.get("text").and_then(Value::as_str) {
            Some(text) => Entry::Person(Cow::Owned(tail(text, LAST_CHARACTERS).to_owned())),
            None => Entry::SystemData,
        },
        _ => outside(content),
    }
}

/// The last characters of a text, without looking at the rest of it.
pub(super) fn tail(text: &str, characters: usize) -> &str {
    match text.char_indices().rev().nth(characters.saturating_sub(1)) {
        Some((start, _)) => &text[start..],
        None => text,
    }
}

/// The first characters of a text, without looking at the rest of it.
pub(super) fn head(text: &str, characters: usize) -> &str {
    match text.char_indices().nth(characters) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}
