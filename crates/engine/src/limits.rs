//! The limits of engine.md 2.8, in one place.

use domain::Span;
use serde::{Deserialize, Serialize};

/// Model calls and tool results in a turn; the execution fails at it.
pub const STEPS: u32 = 80;
/// At this many steps the model is told to wrap up.
pub const STEPS_WRAP_UP: u32 = 70;
/// Model calls in one visit of a node within a turn, unless the node says otherwise.
pub const VISIT_CALLS: u32 = 20;
/// Nodes entered in a turn.
pub const ENTRIES: u32 = 25;
/// Moves to nowhere in a row.
pub const BAD_MOVES: u32 = 3;
/// Answers thrown away in a turn because somebody wrote meanwhile; a steady writer must not starve himself.
pub const DISCARDED: u32 = 3;
/// Messages in a turn that do not rest.
pub const SENDS: u32 = 10;
/// Tries to say a resting message.
pub const FAILED_SENDS: u32 = 3;
/// How long a turn may take, in seconds.
pub const TURN_SECONDS: u32 = 300;
/// Entries of history that the model is shown, the pinned ones included.
pub const HISTORY: u32 = 40;
/// Messages of it that are pinned: the first input, and the call and result that show the step prompt.
pub const PINNED: i64 = 3;
/// Calls of one answer that are run. With their results they must fit into what the model is shown.
pub const CALLS: usize = 20;
/// A contact who is silent this long has left.
pub const INACTIVITY: Span = Span::from_hours(24);
/// Longest text of one message: Meta's limit.
pub const TEXT: usize = 4_096;
/// Longest caption.
pub const CAPTION: usize = 1_024;
/// Messages that a longer text is cut into; nobody reads what is over.
pub const PIECES: usize = 10;
/// Longest result that a tool may give to the model, in bytes.
pub const TOOL_RESULT: usize = 32 * 1024;
/// Longest wait between two of them, unless the provider asks for more.
pub const MODEL_RETRY_CAP: Span = Span::from_secs(8);
/// Longest wait that a provider may ask for.
pub const MODEL_RETRY_AFTER: Span = Span::from_secs(60);
/// Longest time that the retries of one question may take.
pub const MODEL_RETRY_TOTAL: Span = Span::from_secs(90);
/// Empty answers in a row before the agent rests.
pub const EMPTY: u32 = 2;
/// Answers in a row that say nothing to anybody before the agent rests.
pub const SILENT: u32 = 3;
/// Tokens that a model can read, unless the agent says otherwise; three quarters of them are for the question.
pub const CONTEXT_TOKENS: u32 = 128_000;
/// Entries that are cut before they are summarised anew.
pub const SUMMARISED: i64 = 20;
/// Fields of a payload that are kept as variables, and the bytes of each.
pub const VARIABLES: usize = 64;
/// Longer ones are shown to the model with the payload and nowhere else.
pub const VARIABLE: usize = 1_024;
/// Links of the contact that are remembered; where there were more, nothing is sent from a link.
pub const LINKS: usize = 64;

/// The limits that an agent may set for itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Model calls and tool results in a turn.
    pub recursion_limit: u32,
    /// Model calls in one visit of a node within a turn.
    pub max_steps: u32,
    /// Nodes entered in a turn.
    pub node_entries: u32,
    /// Moves to nowhere in a row.
    pub invalid_moves: u32,
    /// Answers in a row that say nothing to anybody.
    pub silent_answers: u32,
    /// How long a turn may take.
    pub turn_seconds: u32,
    /// Messages in a turn that do not rest.
    pub messages: u32,
    /// Entries of history that the model is shown.
    pub history_messages: u32,
    /// Tokens that the model can read.
    pub context_tokens: u32,
    /// Whether what the model is not shown any more is summarised for it.
    pub summaries: bool,
    /// Tokens that the execution may use.
    pub token_budget: Option<u64>,
    /// What happens when they are used up.
    pub over_budget: OverBudget,
}

/// What happens to an execution whose budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverBudget {
    /// It fails.
    #[default]
    Fail,
    /// A person takes over.
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
        }
    }
}

impl Limits {
    /// Whether they are the usual ones.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Entries of history that the model is shown: enough for the pinned ones and an exchange.
    pub(crate) fn history(&self) -> i64 {
        i64::from(self.history_messages).max(PINNED + 2)
    }

    /// At this many steps the model is told to wrap up.
    pub(crate) const fn wrap_up(&self) -> u32 {
        self.recursion_limit.saturating_sub(STEPS - STEPS_WRAP_UP)
    }

    /// How long a turn may take.
    pub(crate) fn turn(&self) -> Span {
        Span::from_secs(i64::from(self.turn_seconds))
    }
}
