//! What the holder of a turn has to do between two steps, outside of any transaction.

use domain::{
    Timestamp,
    tool_request::{SecretMarks, ToolRequest},
};
use engine::{AskedServer, CallModel, Pending};

/// What the turn's holder has to do next.
#[derive(Debug, Clone)]
pub enum Todo {
    /// Ask the model.
    Model(CallModel),
    /// Make a request.
    Tool {
        /// The effect.
        effect: String,
        /// The request, with marks where secrets belong.
        request: ToolRequest,
        /// The secrets to put in.
        secrets: SecretMarks,
        /// It was asked for by an earlier life of the turn and may have been made.
        again: bool,
    },
    /// Search a knowledge base of the node.
    Retrieve {
        /// The effect.
        effect: String,
        /// The base's key.
        base: String,
        /// What is looked for.
        queries: Vec<String>,
    },
    /// Ask MCP servers which tools they have.
    ListTools {
        /// The effect.
        effect: String,
        /// The servers.
        servers: Vec<AskedServer>,
    },
}

impl Todo {
    /// What is pending and can be done now; `before` is what was pending when the step began.
    pub(super) fn of(pending: Option<&Pending>, before: Option<&Pending>, now: Timestamp) -> Option<Self> {
        let again = pending == before;
        match pending?.clone() {
            Pending::Model { call, not_before, .. } => {
                not_before.is_none_or(|time| time <= now).then_some(Self::Model(call))
            }
            Pending::Tool { effect, request, secrets, .. } => Some(Self::Tool { effect, request, secrets, again }),
            Pending::Retrieval { effect, base, queries, .. } => Some(Self::Retrieve { effect, base, queries }),
            Pending::ToolList { effect, servers } => Some(Self::ListTools { effect, servers }),
            Pending::SendsOf { .. } | Pending::AllSends => None,
        }
    }

    /// Whether it takes long and does nothing in the world: who stops, or is interrupted, leaves it to whoever goes on.
    pub(super) const fn can_be_left(&self) -> bool {
        matches!(self, Self::Model(_) | Self::ListTools { .. })
    }
}
