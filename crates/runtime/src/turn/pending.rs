//! The external action that a turn executes next.

use domain::{
    Timestamp,
    tool_request::{SecretMarks, ToolRequest},
};
use engine::{CallModel, McpServerRequest, Pending};

#[derive(Debug, Clone)]
pub(crate) enum PendingEffect {
    Model(CallModel),
    Tool {
        effect: String,
        /// With marks in place of secrets.
        request: ToolRequest,
        secrets: SecretMarks,
        /// It was pending before this claim, so it may have been executed already.
        repeated: bool,
    },
    /// Search a knowledge base.
    Retrieve {
        effect: String,
        /// The key of the knowledge base.
        base: String,
        queries: Vec<String>,
    },
    /// List the tools of MCP servers.
    ListTools {
        effect: String,
        servers: Vec<McpServerRequest>,
    },
}

impl PendingEffect {
    /// `None` if nothing can be executed now. `before` is what was pending when the step began.
    pub(super) fn of(pending: Option<&Pending>, before: Option<&Pending>, now: Timestamp) -> Option<Self> {
        let repeated = pending == before;
        match pending?.clone() {
            Pending::Model { call, not_before, .. } => {
                not_before.is_none_or(|time| time <= now).then_some(Self::Model(call))
            }
            Pending::Tool { effect, request, secrets, .. } => Some(Self::Tool { effect, request, secrets, repeated }),
            Pending::Retrieval { effect, base, queries, .. } => Some(Self::Retrieve { effect, base, queries }),
            Pending::ToolList { effect, servers } => Some(Self::ListTools { effect, servers }),
            Pending::SendsOf { .. } | Pending::AllSends => None,
        }
    }

    /// True for slow effects without side effects: they may be abandoned and repeated.
    pub(super) const fn can_abandon(&self) -> bool {
        matches!(self, Self::Model(_) | Self::ListTools { .. })
    }
}
