//! Cleans the answer of a model before it is used (docs/spec/engine.md 5.4, decision 26): words for
//! the contact, private reasoning and calls are separated, and the marks of the model's own format
//! are cut. What is unclear is not sent.
//!
//! Only new executions use it (`Facts::rules` 2): the answers of older journals replay as they were
//! read then.

pub(crate) mod code;
mod harmony;
mod labels;
mod marks;
mod reasoning;
mod separated;
mod tags;
mod text_calls;
mod values;

use self::separated::Separated;
use domain::chat::{Ended, ModelResponse, ToolCall};

/// Bytes of a text that are read: more than all messages of one answer hold.
const LONGEST: usize = 64 * 1024;

/// A cleaned answer.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Answer {
    /// For the contact, in version 2. Not blank.
    pub text: Option<String>,
    /// Kept in the trace, never shown to people.
    pub reasoning: Option<String>,
    pub calls: Vec<ToolCall>,
    /// The calls were written as text.
    pub from_text: bool,
    pub verdict: Verdict,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Verdict {
    #[default]
    Usable,
    /// The text is, or holds, a tool call that cannot be taken: the model is asked again.
    CallAsText,
    /// The provider says that the answer is malformed: nothing of it is used.
    Malformed,
}

/// The answer as the provider gave it, for executions under older rules.
pub(crate) fn as_given(response: ModelResponse) -> Answer {
    Answer {
        text: not_blank(response.text.as_deref().unwrap_or_default()),
        reasoning: response.reasoning,
        calls: response.tool_calls,
        from_text: false,
        verdict: verdict_of(response.ended),
    }
}

/// Cleans an answer. `offered` are the names of the tools that the question offered. With
/// `take_calls` off, calls in text are never taken: the contact wrote something like a call, which
/// the model may only repeat.
pub(crate) fn read(response: ModelResponse, offered: &[&str], take_calls: bool) -> Answer {
    let Separated { said, mut private } = separate(response.text.as_deref().unwrap_or_default());
    if let Some(reasoning) = response.reasoning.filter(|text| !text.trim().is_empty()) {
        private.insert(0, reasoning.trim().to_owned());
    }
    let mut answer = Answer {
        text: not_blank(&said),
        reasoning: not_blank(&private.join("\n\n")),
        calls: response.tool_calls,
        from_text: false,
        verdict: verdict_of(response.ended),
    };
    if answer.verdict != Verdict::Usable {
        return answer;
    }
    let Some(text) = &answer.text else { return answer };
    match text_calls::find(text, offered) {
        text_calls::Found::Nothing => {}
        // The server gave the calls as calls already; the text repeats them or is noise.
        _ if !answer.calls.is_empty() => answer.text = None,
        text_calls::Found::Calls(calls) if take_calls && response.ended == Ended::Whole => {
            answer.calls = calls;
            answer.from_text = true;
            answer.text = None;
        }
        _ => answer.verdict = Verdict::CallAsText,
    }
    answer
}

/// Returns the part of a model's text that may be sent to a person; `None` if nothing is left, or if
/// the text is a tool call.
pub(crate) fn sayable(text: &str) -> Option<String> {
    let said = separate(text).said;
    (!said.is_empty() && text_calls::find(&said, &[]) == text_calls::Found::Nothing).then_some(said)
}

/// Separates words and reasoning, and cuts the marks of the model's format.
pub(crate) fn separate(text: &str) -> Separated {
    let text = &text[..text.floor_char_boundary(LONGEST)];
    let mut found = Separated::default();
    // The channels are read first: their end marks would cut the rest.
    let text = harmony::final_channel(text, &mut found);
    let text = values::reply_of_json(&text, &mut found);
    let text = reasoning::without(&text, &mut found);
    let text = labels::after_label(&text, &mut found);
    found.said = marks::without(&text).trim().to_owned();
    found
}

/// True for a text of a person that looks like a tool call: a model that repeats it must not run
/// it.
pub(crate) fn looks_like_call(text: &str) -> bool {
    text_calls::has_marks(text) || (text.contains('{') && text.contains("name"))
}

fn verdict_of(ended: Ended) -> Verdict {
    if ended == Ended::Malformed { Verdict::Malformed } else { Verdict::Usable }
}

fn not_blank(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
