//! Reads the request as a conversation: texts by author, current step, results of tools.
//!
//! Covers both agent versions. In version 2 the contact's text is a user message and the model's
//! plain text is sent. In version 1 texts arrive as results of calls and only tools send. Work is
//! bounded: the last 60 messages and the last 2,000 characters of each text are read.

use std::borrow::Cow;

use domain::chat::{ChatMessage, ModelRequest, ToolCall};
use domain::tool_names::{
    ASK_USER_FOR_INPUT, ENTER_IDLE_STATE, HANDLE_USER_MESSAGE, KB_RETRIEVAL, MOVE_TO_NEXT_NODE, RESERVED_TOOLS,
    SEND_EXTERNAL_MESSAGE, SEND_NOTIFICATION, WAIT_FOR_USER,
};
use serde_json::Value;

use crate::step_prompt::StepPrompt;
use crate::text::tail;

const LAST_MESSAGES: usize = 60;
const LAST_CHARACTERS: usize = 2_000;
/// Longer results are not parsed where a text of the contact is expected.
const LONGEST_REPLY: usize = 64 * 1024;

/// One event of the conversation.
#[derive(Debug)]
pub(crate) enum Entry<'a> {
    /// A text from the contact.
    Contact(Cow<'a, str>),
    /// Data from outside, for example the end of a handoff.
    SystemData,
    /// A text from the agent.
    Agent(&'a str),
    /// A step was entered.
    Step(StepPrompt<'a>),
    /// A move to this step was refused.
    Refused(&'a str),
    /// The result of a data tool.
    Result { tool: &'a str, arguments: &'a Value, content: &'a str },
}

#[derive(Debug)]
pub(crate) struct Conversation<'a> {
    /// Oldest first.
    pub(crate) entries: Vec<Entry<'a>>,
    pub(crate) step: Option<StepPrompt<'a>>,
    /// Index of the newest entry from outside.
    last_input: Option<usize>,
    /// Index of the newest entry that the contact could read.
    last_agent_text_index: Option<usize>,
}

/// True for tools that fetch or change data.
pub(crate) fn is_data_tool(name: &str) -> bool {
    name == KB_RETRIEVAL || !RESERVED_TOOLS.contains(&name)
}

/// True for agents of version 1, which ask through a tool.
pub(crate) fn asks_by_tool(request: &ModelRequest) -> bool {
    let offered = |name: &str| request.tools.iter().any(|tool| tool.name == name);
    offered(ASK_USER_FOR_INPUT) && !offered(WAIT_FOR_USER)
}

impl<'a> Conversation<'a> {
    pub(crate) fn read(request: &'a ModelRequest) -> Self {
        let by_tool = asks_by_tool(request);
        let (before, read) = request.messages.split_at(request.messages.len().saturating_sub(LAST_MESSAGES));
        let mut entries = Vec::new();
        let mut calls: Vec<&ToolCall> = Vec::new();
        for (index, message) in read.iter().enumerate() {
            match message {
                // Neighbours of one role may come as one message.
                ChatMessage::User { content, .. } => {
                    for part in content.split("\n\n") {
                        if part.starts_with("[system note]") {
                            note(part, &mut entries);
                        } else {
                            entries.push(input(part));
                        }
                    }
                }
                ChatMessage::Assistant { content, tool_calls, .. } => {
                    let content = content.as_deref().filter(|content| !content.trim().is_empty());
                    match content {
                        Some(content) if by_tool => entries.extend(StepPrompt::parse(content).map(Entry::Step)),
                        Some(content) => entries.push(Entry::Agent(tail(content, LAST_CHARACTERS))),
                        None => {}
                    }
                    entries.extend(tool_calls.iter().filter_map(sent).map(Entry::Agent));
                    calls.extend(tool_calls);
                }
                ChatMessage::Tool { call_id, content } => {
                    let call = calls.iter().rev().find(|call| call.id == *call_id).copied();
                    let repeated = matches!(read.get(index + 1), Some(ChatMessage::User { .. }));
                    entries.extend(result(call, content, repeated));
                }
            }
        }
        let step = entries.iter().rev().find_map(Entry::step).cloned();
        // The step may have been entered before the messages that are read.
        let earlier = || {
            before.iter().rev().find_map(|message| match message {
                ChatMessage::Tool { content, .. } => StepPrompt::parse(content),
                _ => None,
            })
        };
        let last_input = entries.iter().rposition(|entry| matches!(entry, Entry::Contact(_) | Entry::SystemData));
        let last_agent_text_index = entries.iter().rposition(|entry| matches!(entry, Entry::Agent(_)));
        Self { step: step.or_else(earlier), entries, last_input, last_agent_text_index }
    }

    /// All texts of the contact, oldest first.
    pub(crate) fn contact_texts(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.entries.iter().filter_map(Entry::contact_text)
    }

    /// The contact's unanswered texts, joined.
    pub(crate) fn unanswered(&self) -> Option<String> {
        let from = self.entries.iter().rposition(|entry| matches!(entry, Entry::Agent(_) | Entry::SystemData));
        let texts: Vec<&str> = after(&self.entries, from).iter().filter_map(Entry::contact_text).collect();
        (!texts.is_empty()).then(|| tail(&texts.join("\n"), LAST_CHARACTERS).to_owned())
    }

    pub(crate) fn last_agent_text(&self) -> Option<&'a str> {
        self.agent_texts().last()
    }

    /// All texts of the agent, oldest first.
    pub(crate) fn agent_texts(&self) -> impl Iterator<Item = &'a str> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Agent(text) => Some(*text),
            _ => None,
        })
    }

    /// True if the newest input is system data and not answered yet.
    pub(crate) fn is_handed_back(&self) -> bool {
        self.last_input > self.last_agent_text_index
            && self.last_input.is_some_and(|index| matches!(self.entries[index], Entry::SystemData))
    }

    /// Entries since the newest input.
    pub(crate) fn turn(&self) -> &[Entry<'a>] {
        after(&self.entries, self.last_input)
    }

    /// Entries since the agent last spoke.
    pub(crate) fn since_agent_text(&self) -> &[Entry<'a>] {
        after(&self.entries, self.last_agent_text_index)
    }

    /// Entries since the current step was entered.
    pub(crate) fn visit(&self) -> &[Entry<'a>] {
        after(&self.entries, self.entries.iter().rposition(|entry| matches!(entry, Entry::Step(_))))
    }

    /// The step in which this turn began and those entered since.
    pub(crate) fn visited(&self) -> impl Iterator<Item = &str> {
        let before = &self.entries[..self.last_input.unwrap_or(0)];
        let first = before.iter().rev().find_map(Entry::step);
        first.into_iter().chain(self.turn().iter().filter_map(Entry::step)).chain(&self.step).map(|step| step.name)
    }

    /// The condition under which another step led here in this turn.
    pub(crate) fn entered_because(&self) -> Option<&'a str> {
        self.turn().iter().find_map(Entry::step)?;
        let mut steps = self.entries.iter().rev().filter_map(Entry::step);
        let (here, before) = (steps.next()?, steps.next()?);
        Some(before.condition(here.name))
    }
}

impl<'a> Entry<'a> {
    pub(crate) fn contact_text(&self) -> Option<&str> {
        if let Self::Contact(text) = self { Some(text) } else { None }
    }

    fn step(&self) -> Option<&StepPrompt<'a>> {
        if let Self::Step(step) = self { Some(step) } else { None }
    }
}

pub(crate) fn after<'e, 'a>(entries: &'e [Entry<'a>], index: Option<usize>) -> &'e [Entry<'a>] {
    index.map_or(entries, |index| &entries[index + 1..])
}

/// Removes a text that was not delivered, so that it is sent again.
fn note(content: &str, entries: &mut Vec<Entry>) {
    if content.contains("not delivered")
        && let Some(index) = entries.iter().rposition(|entry| matches!(entry, Entry::Agent(_)))
    {
        entries.remove(index);
    }
}

fn input(content: &str) -> Entry<'_> {
    if content.trim_start().starts_with("[system data]") {
        return Entry::SystemData;
    }
    Entry::Contact(Cow::Borrowed(tail(content, LAST_CHARACTERS)))
}

/// The text that a call sends to the contact.
fn sent(call: &ToolCall) -> Option<&str> {
    let sends = [SEND_NOTIFICATION, ASK_USER_FOR_INPUT, ENTER_IDLE_STATE, SEND_EXTERNAL_MESSAGE];
    let message = call.arguments.get("message")?.as_str()?;
    let sends = sends.contains(&call.name.as_str()) && !message.trim().is_empty();
    sends.then(|| tail(message, LAST_CHARACTERS))
}

/// `repeated`: a user message with the same text follows.
fn result<'a>(call: Option<&'a ToolCall>, content: &'a str, repeated: bool) -> Option<Entry<'a>> {
    let name = call.map_or(MOVE_TO_NEXT_NODE, |call| call.name.as_str());
    match name {
        MOVE_TO_NEXT_NODE => StepPrompt::parse(content).map(Entry::Step).or_else(|| {
            let answer: Value = serde_json::from_str(tail(content, LONGEST_REPLY)).ok()?;
            let is_refused = answer.get("next_node")?.as_str()? == "NOT_FOUND";
            let tried = call?.arguments.get("next_node")?.as_str()?;
            is_refused.then_some(Entry::Refused(tried))
        }),
        WAIT_FOR_USER if repeated => None,
        HANDLE_USER_MESSAGE | ASK_USER_FOR_INPUT | ENTER_IDLE_STATE | WAIT_FOR_USER => Some(reply(content)),
        _ if is_data_tool(name) => Some(Entry::Result { tool: name, arguments: &call?.arguments, content }),
        _ => None,
    }
}

/// The contact's answer to a question asked by tool: plain text, or an object with the text.
fn reply(content: &str) -> Entry<'_> {
    let parsed = (content.len() <= LONGEST_REPLY).then(|| serde_json::from_str::<Value>(content));
    let Some(Ok(Value::Object(object))) = parsed else { return input(content) };
    match object.get("text").and_then(Value::as_str) {
        Some(text) => Entry::Contact(Cow::Owned(tail(text, LAST_CHARACTERS).to_owned())),
        None => Entry::SystemData,
    }
}
