//! The limits of engine.md 2.8, in one place.

use domain::Span;

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
/// How long a turn may take.
pub const TURN: Span = Span::from_secs(300);
/// Entries of history that the model is shown, the pinned ones included.
pub const HISTORY: i64 = 40;
/// Messages of it that are pinned: the first input, and the call and result that show the step prompt.
pub const PINNED: i64 = 3;
/// Calls of one answer that are run. With their results they must fit into what the model is shown.
pub const CALLS: usize = 20;
/// A contact who is silent this long has left.
pub const INACTIVITY: Span = Span::from_hours(24);
/// Longest text of one message: Meta's limit.
pub const TEXT: usize = 4_096;
/// Messages that a longer text is cut into; nobody reads what is over.
pub const PIECES: usize = 10;
/// Longest result that a tool may give to the model, in bytes.
pub const TOOL_RESULT: usize = 32 * 1024;
/// Retries of a model call that failed for the moment (engine.md 5.3).
pub const MODEL_RETRIES: u32 = 5;
/// Longest wait between two of them, unless the provider asks for more.
pub const MODEL_RETRY_CAP: Span = Span::from_secs(8);
/// Longest wait that a provider may ask for.
pub const MODEL_RETRY_AFTER: Span = Span::from_secs(60);
