//! Uses the answer of a model: what is said, what is called, and what is asked again (docs/spec/engine.md 5.4).

use crate::{
    answer::{self, Answer, Verdict},
    effect::CallModel,
    limits,
    state::FailedSend,
    step_builder::StepBuilder,
    text::without_comments,
};
use domain::{
    chat::{ChatMessage, Ended, ModelResponse, ToolCall},
    execution::HistoryOrigin,
    message::Content,
    tool_names::WAIT_FOR_USER,
};
use serde_json::{Value, json};

const EMPTY: &str = include_str!("../prompts/empty_answer.md");
const NOT_SENT: &str = include_str!("../prompts/not_sent.md");
const CUT: &str = include_str!("../prompts/cut_answer.md");
const MALFORMED: &str = include_str!("../prompts/malformed_answer.md");
const CALL_AS_TEXT: &str = include_str!("../prompts/call_as_text.md");

impl StepBuilder<'_> {
    /// (i) and (j): an answer is discarded if a message arrived meanwhile, up to a limit.
    pub(crate) fn take_answer(&mut self, answered: &AnsweredCall, response: ModelResponse) {
        self.state.usage.add(response.usage);
        self.state.turn.usage.add(response.usage);
        if !response.model.is_empty() {
            self.state.usage_by_model.entry(response.model.clone()).or_default().add(response.usage);
        }
        let (usage, ended) = (response.usage, response.ended);
        let mut answer = self.report_answer(answered, response);
        // A send may have failed for good in the same step.
        if self.state.inputs.stop.is_some() || self.state.phase.is_over() {
            return;
        }
        // A status set by the API ends the wait for this answer as well.
        if self.state.inputs.requested_status.is_some() {
            return self.event("llm.discarded", json!({"usage": usage}));
        }
        if answered.call.summarises {
            return self.keep_summary(answered.call.to, answer.text);
        }
        if self.state.inputs.change_prompt() && self.state.turn.discarded < limits::DISCARDED {
            self.state.turn.discarded += 1;
            self.event("llm.discarded", json!({"usage": usage}));
            return;
        }
        match ended {
            Ended::Whole => self.state.turn.cut = 0,
            Ended::Cut if self.retry_cut_answer() => return,
            Ended::Cut | Ended::Malformed => {}
            Ended::Refused => return self.take_refusal(answer.text.filter(|_| answer.verdict == Verdict::Usable)),
        }
        match answer.verdict {
            Verdict::Usable => self.state.turn.unusable = 0,
            Verdict::Malformed => {
                let message = "the provider reports a malformed answer";
                return self.ask_again(answered, "malformed_answer", message, MALFORMED);
            }
            Verdict::CallAsText => {
                let message = "the model wrote a tool call as text";
                return self.ask_again(answered, "call_as_text", message, CALL_AS_TEXT);
            }
        }
        if self.state.facts.rules == 0 {
            answer.calls = self.renamed(answer.calls);
        }
        match (answer.text, answer.calls.is_empty()) {
            (None, true) => {
                self.state.turn.empty += 1;
                self.state.turn.silent += 1;
                self.event("llm.empty", Value::Null);
                self.note(&without_comments(EMPTY));
            }
            (Some(text), true) if self.agent.sends_only_by_tools() => self.store_private_text(text),
            (text, _) => {
                self.state.turn.empty = 0;
                self.state.turn.silent = 0;
                self.use_answer(text, answer.calls);
            }
        }
    }

    /// Cleans an answer and writes its event, which keeps the reasoning.
    fn report_answer(&mut self, answered: &AnsweredCall, response: ModelResponse) -> Answer {
        let (text, model, usage) = (response.text.clone(), response.model.clone(), response.usage);
        let (estimated, rules) = (response.usage_estimated, self.state.facts.rules);
        let (rendering, opaque) = (response.rendering.clone(), response.opaque.clone());
        let first_token_ms = response.first_token_ms;
        let mut answer = if rules >= 2 {
            let node = self.agent.node(&answered.call.node);
            let names: Vec<&str> =
                node.into_iter().flat_map(|node| node.offered(self.state)).map(|tool| tool.name.as_str()).collect();
            answer::read(response, &names, !self.state.quotes_calls)
        } else {
            answer::as_given(response)
        };
        // The event shows the ids that the calls run under.
        if rules >= 1 {
            answer.calls = self.renamed(std::mem::take(&mut answer.calls));
        }
        let cleaned = rules >= 2 && answer.verdict == Verdict::Usable && !answer.from_text;
        let mut data = json!({
            // A text that is not used is shown as it came.
            "text": if cleaned { answer.text.clone() } else { text },
            "tool_calls": answer.calls,
            "usage": usage,
            "model": model,
            "ms": (self.at - answered.since).millis(),
            "attempt": answered.attempt,
        });
        if rules >= 2 {
            if let Some(reasoning) = &answer.reasoning {
                data["reasoning"] = json!(reasoning);
            }
            if answer.from_text {
                data["calls_from_text"] = json!(true);
            }
            if estimated {
                data["usage_estimated"] = json!(true);
            }
            if answer.verdict == Verdict::Malformed {
                data["malformed"] = json!(true);
            }
        }
        if let Some(first_token_ms) = first_token_ms.filter(|_| rules >= 3) {
            data["first_token_ms"] = json!(first_token_ms);
        }
        if let Some(rendering) = rendering {
            data["rendering"] = self.rendering_shown(*rendering);
        }
        self.event("llm.responded", data);
        self.opaque = opaque;
        answer
    }

    /// Asks again after an answer that cannot be used; after a few of them the model is given up.
    fn ask_again(&mut self, answered: &AnsweredCall, code: &str, message: &str, note: &str) {
        self.warn(code, message);
        self.state.turn.unusable += 1;
        if self.state.turn.unusable >= limits::UNUSABLE {
            return self.give_model_up(answered.call.fallback, "the model's answers cannot be used");
        }
        self.note(&without_comments(note));
    }

    /// Discards an answer that was cut off and asks once more with twice the tokens. A second cut
    /// answer is used as it is.
    fn retry_cut_answer(&mut self) -> bool {
        self.warn("answer_cut", "the answer was cut off by its limit of tokens");
        self.state.turn.cut += 1;
        let again = self.state.turn.cut == 1;
        if again {
            self.note(&without_comments(CUT));
        }
        again
    }

    /// Sends the text of a refusal where plain text is sent, else stores it; then the agent waits. Its
    /// calls are dropped. Since rules 3 a contact who was sent nothing gets what
    /// [`StepBuilder::refuse_input`] sends.
    fn take_refusal(&mut self, text: Option<String>) {
        self.event("llm.refused", json!({"text": text}));
        self.state.turn.empty = 0;
        self.state.turn.silent = 0;
        match text {
            Some(text) if !self.agent.sends_only_by_tools() => self.use_answer(Some(text), Vec::new()),
            kept => {
                if let Some(content) = kept {
                    let tool_calls = Vec::new();
                    self.append(HistoryOrigin::Model, ChatMessage::assistant(Some(content), tool_calls));
                }
                if self.state.facts.rules >= 3 && !self.state.turn.spoke {
                    self.refuse_input("refused");
                } else {
                    self.state.turn.refused = true;
                }
            }
        }
    }

    /// Stores a text of version 1 without a call. It reached no one, and the model is reminded of
    /// that before the limit.
    fn store_private_text(&mut self, text: String) {
        self.state.turn.empty = 0;
        self.state.turn.silent += 1;
        self.append(HistoryOrigin::Model, ChatMessage::assistant(Some(text), Vec::new()));
        if self.state.turn.silent + 1 == self.agent.limits.silent_answers {
            self.note(&without_comments(NOT_SENT));
        }
    }

    /// Providers repeat ids or leave them out, so calls get ids of our own. Names go back to the
    /// provider with every later request, so invalid characters are replaced.
    fn renamed(&mut self, mut calls: Vec<ToolCall>) -> Vec<ToolCall> {
        if calls.len() > limits::CALLS {
            self.warn("too_many_calls", "the answer held too many calls; the later ones were dropped");
            calls.truncate(limits::CALLS);
        }
        for call in &mut calls {
            call.id = self.next_id("call");
            call.name = usable_name(&call.name);
        }
        calls
    }

    fn use_answer(&mut self, text: Option<String>, mut calls: Vec<ToolCall>) {
        if calls.is_empty() {
            // A text alone is sent, and then the agent waits: the reply becomes the result of this
            // call.
            calls.push(self.synthetic_call(WAIT_FOR_USER, json!({})));
        }
        self.append(HistoryOrigin::Model, ChatMessage::assistant(text.clone(), calls.clone()));
        let waits = calls.first().is_some_and(|call| call.name == WAIT_FOR_USER);
        self.state.calls = calls;
        let Some(text) = text.filter(|_| !self.agent.sends_only_by_tools()) else { return };
        if !waits && self.state.turn.sends >= self.agent.limits.messages {
            let message = "too many messages in one turn; ask or rest now".into();
            return self.state.failed_sends.push(FailedSend { call_id: None, code: "send_limit".into(), message });
        }
        self.state.turn.sends += u32::from(!waits);
        let text = self.for_phone(text);
        self.send(Content::Text(text), None);
    }
}

/// An answered model call.
pub(crate) struct AnsweredCall {
    pub call: CallModel,
    /// Time of the last attempt.
    pub since: domain::Timestamp,
    /// Attempt, from 1.
    pub attempt: u32,
}

fn usable_name(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let name: String = name.chars().take(64).map(|c| if fits(c) { c } else { '_' }).collect();
    if name.is_empty() { "unknown".into() } else { name }
}
