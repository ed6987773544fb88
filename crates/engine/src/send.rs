//! Sends to the contact, and their outcomes.

use crate::{
    effect::Effect,
    input::SendOutcome,
    limits,
    state::{FailedSend, InterruptKind, OpenSend, Pending},
    step_builder::StepBuilder,
    text::pieces,
    whatsapp_text::{self, Split},
};
use domain::{
    chat::ToolCall,
    message::{Content, Media},
    tool_names,
};
use serde_json::{Value, json};

impl StepBuilder<'_> {
    /// Sends a message; long texts in pieces. In a test run and without a channel nothing leaves and
    /// the send counts as accepted.
    pub(crate) fn send(&mut self, content: Content, call: Option<&ToolCall>) {
        self.state.turn.spoke = self.state.facts.rules >= 3;
        let pieces = match content {
            Content::Text(text) => self.messages(&text),
            other => vec![other],
        };
        for piece in pieces {
            let id = self.effect_id();
            if self.state.facts.test_mode {
                self.event("message.sent", json!({"kind": piece.kind(), "text": piece.in_words(), "test": true}));
                continue;
            }
            if self.state.facts.without_channel {
                self.event("message.sent", json!({"kind": piece.kind(), "text": piece.in_words(), "channel": false}));
                continue;
            }
            self.state.turn.effects.push(id.clone());
            let call_id = call.map(|call| call.id.clone());
            self.state.sends.push(OpenSend { effect: id.clone(), call_id, content: Some(piece.clone()) });
            self.effect(Effect::Send { id, content: piece });
        }
    }

    /// The messages that a text becomes. Since rules 2 they end where a sentence ends, and a text that
    /// is too long for all of them is reported.
    fn messages(&mut self, text: &str) -> Vec<Content> {
        if self.state.facts.rules < 2 {
            return pieces(text).into_iter().map(Content::Text).collect();
        }
        let Split { parts, dropped } = whatsapp_text::split(text, limits::TEXT, limits::PIECES);
        if dropped > 0 {
            let message = format!("a text was longer than {} messages; its end was not sent", limits::PIECES);
            self.event("warning", json!({"code": "text_truncated", "message": message, "characters": dropped}));
        }
        parts.into_iter().map(Content::Text).collect()
    }

    /// A text of the model as the phone shows it. Without a channel it stays as it was written.
    pub(crate) fn for_phone(&self, text: String) -> String {
        let facts = &self.state.facts;
        let as_written = facts.rules < 2 || facts.keep_markdown || (facts.without_channel && !facts.test_mode);
        if as_written { text } else { whatsapp_text::render(&text) }
    }

    /// Sends and continues, up to the limit of messages in a turn.
    pub(crate) fn send_and_continue(&mut self, call: &ToolCall, content: Content) {
        if self.state.turn.sends >= self.agent.limits.messages {
            let result = json!({"error": "too many messages in one turn; ask or rest now", "code": "send_limit"});
            return self.answer_first_call(call, result);
        }
        self.state.turn.sends += 1;
        let facts = &self.state.facts;
        let at_once = match (facts.test_mode, facts.without_channel) {
            (true, _) => Some(not_sent(&content)),
            (false, true) => Some(json!({"status": "sent"})),
            (false, false) => None,
        };
        self.send(content, Some(call));
        match at_once {
            Some(result) => self.answer_first_call(call, result),
            None => self.set_pending(Pending::SendsOf { call: call.clone() }),
        }
    }

    /// Sends a text, unless it is empty, and waits for the reply.
    pub(crate) fn send_text_and_wait(&mut self, kind: InterruptKind, call: &ToolCall, text: &str) {
        if text.is_empty() {
            return self.start_wait(kind, Some(call.clone()), None);
        }
        self.send_and_wait(kind, call, Content::Text(text.to_owned()));
    }

    /// Sends a message and waits for the reply. When the call runs again after the send is settled,
    /// nothing is sent twice.
    pub(crate) fn send_and_wait(&mut self, kind: InterruptKind, call: &ToolCall, content: Content) {
        let message = content.in_words();
        if self.state.sent_call.as_deref() != Some(&call.id) {
            self.state.sent_call = Some(call.id.clone());
            self.send(content, Some(call));
        }
        self.start_wait(kind, Some(call.clone()), Some(message));
    }

    /// Takes the outcome of a send.
    pub(crate) fn settle_send(&mut self, effect: &str, outcome: &SendOutcome) {
        let Some(index) = self.state.sends.iter().position(|send| send.effect == effect) else { return };
        let send = self.state.sends.remove(index);
        let content = send.content.as_ref();
        let kind = content.map_or("text", Content::kind);
        let mut delivered = None;
        match outcome {
            SendOutcome::Accepted { message_id } => {
                let text = content.map(Content::in_words);
                self.event("message.sent", json!({"kind": kind, "text": text, "message_id": message_id}));
                delivered = Some(message_id.as_str());
            }
            SendOutcome::Unconfirmed { message_id } => {
                self.event("message.unconfirmed", json!({"kind": kind, "message_id": message_id}));
                delivered = Some(message_id.as_str());
            }
            SendOutcome::Failed { code, message } => {
                self.event("message.failed", json!({"kind": kind, "code": code, "message": message}));
                // A late failure cannot fail an execution that is over or stopping.
                if self.state.phase.is_over() || self.state.inputs.stop.is_some() {
                    return;
                }
                if code == "channel_auth" {
                    return self.fail("channel_auth", message);
                }
                let failed = FailedSend { call_id: send.call_id.clone(), code: code.clone(), message: message.clone() };
                self.state.failed_sends.push(failed);
            }
        }
        let sends = &self.state.sends;
        let settled = self.state.phase.take_pending_if(|pending| match pending {
            Pending::AllSends => sends.is_empty(),
            Pending::SendsOf { call } => !sends.iter().any(|open| open.call_id.as_ref() == Some(&call.id)),
            _ => false,
        });
        match settled {
            Some(Pending::SendsOf { call }) => {
                let failed = self.take_failed_of(&call);
                let result = sent(&call, content, delivered, failed);
                self.answer_first_call(&call, result);
            }
            Some(_) => self.waited = true,
            None => {}
        }
    }

    /// Takes the first failed send of a call and drops its others: the model sees one error.
    fn take_failed_of(&mut self, call: &ToolCall) -> Option<FailedSend> {
        let mine = |failed: &FailedSend| failed.call_id.as_deref() == Some(&call.id);
        let first = self.state.failed_sends.iter().find(|failed| mine(failed)).cloned();
        self.state.failed_sends.retain(|failed| !mine(failed));
        first
    }

    /// Takes the first failed plain text and drops the others.
    pub(crate) fn take_failed_texts(&mut self) -> Option<FailedSend> {
        let index = self.state.failed_sends.iter().position(|failed| failed.call_id.is_none())?;
        let first = self.state.failed_sends.remove(index);
        self.state.failed_sends.retain(|failed| failed.call_id.is_some());
        Some(first)
    }

    pub(crate) fn note_undelivered(&mut self, failed: &FailedSend) {
        self.note(&format!("Your last message was not delivered: {} ({})", failed.message, failed.code));
    }

    /// True if no send is open; otherwise the step ends and continues when the last one is settled.
    pub(crate) fn all_sends_settled(&mut self) -> bool {
        if !self.state.sends.is_empty() {
            self.set_pending(Pending::AllSends);
        }
        self.state.sends.is_empty()
    }

    /// True if every send has succeeded. A failure is shown to the model, as the result of the
    /// waiting call if there is one, and it may try again a few times.
    pub(crate) fn texts_delivered(&mut self, call: Option<&ToolCall>) -> bool {
        if !self.all_sends_settled() {
            return false;
        }
        let own = call.and_then(|call| self.take_failed_of(call));
        let Some(failed) = self.take_failed_texts().or(own) else { return true };
        self.state.turn.failed_sends += 1;
        self.state.turn.empty = 0;
        self.state.turn.refused = false;
        match call {
            Some(call) => self.answer_first_call(call, json!({"error": failed.message, "code": failed.code})),
            None => self.note_undelivered(&failed),
        }
        if self.state.turn.failed_sends >= limits::FAILED_SENDS {
            self.fail("send_failed", &failed.message);
        }
        false
    }
}

/// Result of a call that sent something, for the model.
fn sent(call: &ToolCall, content: Option<&Content>, message_id: Option<&str>, failed: Option<FailedSend>) -> Value {
    match failed {
        Some(failed) => json!({"error": failed.message, "code": failed.code}),
        None if call.name == tool_names::SEND_TEMPLATE => template_sent(content),
        None => match message_id {
            Some(id) => json!({"status": "sent", "message_id": id}),
            None => json!({"status": "sent"}),
        },
    }
}

/// Result of such a call in a test run.
fn not_sent(content: &Content) -> Value {
    match content {
        Content::Text(text) => Value::String(format!("Message sent: {text}")),
        Content::Media(media) => media_sent(media),
        Content::Template(template) => Value::String(format!("Template {} not sent: this is a test", template.name)),
    }
}

fn template_sent(content: Option<&Content>) -> Value {
    let name = match content {
        Some(Content::Template(template)) => template.name.as_str(),
        _ => "template",
    };
    Value::String(format!("Sent template: {name}"))
}

fn media_sent(media: &Media) -> Value {
    let caption = media.caption.as_deref().map_or_else(String::new, |caption| format!(" ({caption})"));
    Value::String(format!("Media sent: {} {}{caption}", media.kind.as_str(), media.url))
}
