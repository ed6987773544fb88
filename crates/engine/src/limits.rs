//! The limits of docs/spec/engine.md 2.8.

use domain::{Span, message::WindowTemplate};
use serde::{Deserialize, Serialize};

/// Model calls and tool results in a turn; the execution fails at this many.
pub const STEPS: u32 = 80;
/// At this many steps the model is asked to wrap up.
pub const STEPS_WRAP_UP: u32 = 70;
/// Model calls in one visit of a node within a turn, unless the node sets its own.
pub const VISIT_CALLS: u32 = 20;
/// Nodes entered in a turn.
pub const ENTRIES: u32 = 25;
/// Moves in a row to nodes that are not offered.
pub const BAD_MOVES: u32 = 3;
/// Answers discarded in a turn because a new message arrived. A contact who keeps writing must
/// still get an answer.
pub const DISCARDED: u32 = 3;
/// Messages in a turn by calls that do not wait.
pub const SENDS: u32 = 10;
/// Failed sends before a wait until the execution fails.
pub const FAILED_SENDS: u32 = 3;
/// Length of a turn.
pub const TURN_SECONDS: u32 = 300;
/// Entries of history shown to the model, the pinned ones included.
pub const HISTORY: u32 = 40;
/// Pinned entries: the first input, and the call and result that show the step prompt.
pub const PINNED: i64 = 3;
/// Calls of one answer that are run. With their results they must fit into the shown history.
pub const CALLS: usize = 20;
/// The execution ends after this silence of the contact.
pub const INACTIVITY: Span = Span::from_hours(24);
/// Characters of one message: Meta's limit.
pub const TEXT: usize = 4_096;
/// Characters of a caption.
pub const CAPTION: usize = 1_024;
/// Messages that a longer text is cut into; the rest is dropped.
pub const PIECES: usize = 10;
/// Bytes of a tool result shown to the model.
pub const TOOL_RESULT: usize = 32 * 1024;
/// Bytes of a tool result in its event; the history holds the whole.
pub const EVENT_RESULT: usize = 8 * 1024;
/// Longest wait between attempts, unless the provider asks for more.
pub const MODEL_RETRY_CAP: Span = Span::from_secs(8);
/// Longest wait that a provider may ask for.
pub const MODEL_RETRY_AFTER: Span = Span::from_secs(60);
/// Longest time for all attempts of one model call.
pub const MODEL_RETRY_TOTAL: Span = Span::from_secs(90);
/// Empty answers in a row before the agent waits.
pub const EMPTY: u32 = 2;
/// Malformed answers, and tool calls written as text, in a row before the execution fails.
pub const UNUSABLE: u32 = 3;
/// Bytes of a result that is kept for a repeated call.
pub const SHARED_RESULT: usize = 8 * 1024;
/// Forms of one request that a model's server may ask for.
pub const ADAPTED: u32 = 6;
/// Least tokens of an answer that is worth asking for.
pub const ROOM: u64 = 256;
/// Texts of the contact that a filter refused and that are remembered.
pub const LEFT_OUT: usize = 16;
/// Answers in a row that reach no one before the agent waits.
pub const SILENT: u32 = 3;
/// Tokens that a model can read, unless the agent sets its own; three quarters of them are for the
/// request.
pub const CONTEXT_TOKENS: u32 = 128_000;
/// Entries that must fall out of the window before the next summary.
pub const SUMMARISED: i64 = 20;
/// Fields of a payload kept as variables.
pub const VARIABLES: usize = 64;
/// Bytes of one variable. Longer fields are shown to the model with the payload only.
pub const VARIABLE: usize = 1_024;
/// Variables without a value that are reported of one prompt.
pub const UNKNOWN: usize = 20;
/// Links of the contact that are remembered. After more than these, no media is sent from a link.
pub const LINKS: usize = 64;

/// Limits that an agent may set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    pub recursion_limit: u32,
    /// Model calls in one visit of a node within a turn.
    pub max_steps: u32,
    pub node_entries: u32,
    pub invalid_moves: u32,
    /// Answers in a row that reach no one.
    pub silent_answers: u32,
    pub turn_seconds: u32,
    /// Messages in a turn by calls that do not wait.
    pub messages: u32,
    pub history_messages: u32,
    /// Tokens that the model can read.
    pub context_tokens: u32,
    /// Entries that the model no longer sees are summarised for it.
    pub summaries: bool,
    /// Tokens that the execution may use.
    pub token_budget: Option<u64>,
    pub over_budget: OverBudget,
    /// Sent to the contact where the model gives no answer for good. Absent: a person is wanted,
    /// and nothing is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_message: Option<String>,
    /// Carries texts outside of the service window. Absent: they are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside_window_template: Option<WindowTemplate>,
}

/// Action when the token budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverBudget {
    #[default]
    Fail,
    Handoff,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            recursion_limit: STEPS,
            max_steps: VISIT_CALLS,
            node_entries: ENTRIES,
            invalid_moves: BAD_MOVES,
            silent_answers: SILENT,
            turn_seconds: TURN_SECONDS,
            messages: SENDS,
            history_messages: HISTORY,
            context_tokens: CONTEXT_TOKENS,
            summaries: false,
            token_budget: None,
            over_budget: OverBudget::Fail,
            failure_message: None,
            outside_window_template: None,
        }
    }
}

impl Limits {
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Entries of history shown to the model: at least the pinned ones and one exchange.
    pub(crate) fn history(&self) -> i64 {
        i64::from(self.history_messages).max(PINNED + 2)
    }

    pub(crate) const fn wrap_up(&self) -> u32 {
        self.recursion_limit.saturating_sub(STEPS - STEPS_WRAP_UP)
    }

    pub(crate) fn turn(&self) -> Span {
        Span::from_secs(i64::from(self.turn_seconds))
    }
}
