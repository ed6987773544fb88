//! A row of the table of refusals.

use super::{adaptation::Adaptation, dialect::Dialect};

/// Treatment of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The request takes the first of these forms that is new, and is sent again.
    Adapt(&'static [Adaptation]),
    /// The answer gets less room, else the history is cut.
    Shorten,
    /// The agent refuses the contact's text; it is left out of later requests.
    LeaveOut,
    /// The model is asked again.
    AskAgain,
    /// The tool that the refusal names is not offered for the rest of the visit.
    DropTool,
    /// The history is sent again with every call answered.
    Repair,
    /// The number of pictures is lowered to the one in the refusal, else the request's pictures are
    /// left out of later ones.
    FewerPictures,
    /// The longest answer is lowered to the number in the refusal.
    LowerLimit,
    /// Repeated after the wait that the provider asks for.
    Wait,
    /// The next fallback; without one the execution fails and the contact's conversation needs a
    /// person.
    GiveUp,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Shown in events as `class`.
    pub class: &'static str,
    /// Every dialect if empty.
    pub dialects: &'static [Dialect],
    /// Every status if empty.
    pub statuses: &'static [u16],
    /// Parts of the body in lower case, of which one must occur; none if empty.
    pub words: &'static [&'static str],
    pub action: Action,
    /// A body that the provider sends.
    pub example: (u16, &'static str),
    pub source: &'static str,
}
