//! The phase of an execution: new, running, waiting or over, with the data of each.

use super::{Interrupt, InterruptKind, Pending};
use domain::execution::{ExecutionError, ExecutionStatus};

#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// Created; no step was made.
    New,
    /// A turn is under way.
    Running {
        /// The pending effect, or the sends that are waited for. Absent only inside a step.
        pending: Option<Pending>,
    },
    /// Waits for input.
    Waiting(Interrupt),
    Over(End),
}

/// The end of an execution.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    Ended {
        /// For example `reached_end`.
        reason: Option<String>,
    },
    /// Stopped by the API.
    Stopped,
    Failed(ExecutionError),
}

impl Phase {
    pub const fn status(&self) -> ExecutionStatus {
        match self {
            Self::New => ExecutionStatus::Started,
            Self::Running { .. } => ExecutionStatus::Running,
            Self::Waiting(Interrupt { kind: InterruptKind::Handoff, .. }) => ExecutionStatus::Handoff,
            Self::Waiting(_) => ExecutionStatus::Paused,
            Self::Over(End::Ended { .. }) => ExecutionStatus::Ended,
            Self::Over(End::Stopped) => ExecutionStatus::Stopped,
            Self::Over(End::Failed(_)) => ExecutionStatus::Failed,
        }
    }

    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Over(_))
    }

    pub const fn interrupt(&self) -> Option<&Interrupt> {
        if let Self::Waiting(interrupt) = self { Some(interrupt) } else { None }
    }

    pub const fn pending(&self) -> Option<&Pending> {
        if let Self::Running { pending: Some(pending) } = self { Some(pending) } else { None }
    }

    pub fn end_reason(&self) -> Option<&str> {
        if let Self::Over(End::Ended { reason }) = self { reason.as_deref() } else { None }
    }

    pub const fn error(&self) -> Option<&ExecutionError> {
        if let Self::Over(End::Failed(error)) = self { Some(error) } else { None }
    }

    /// Takes the pending effect if it fits.
    pub(crate) fn take_pending_if(&mut self, fits: impl FnOnce(&mut Pending) -> bool) -> Option<Pending> {
        if let Self::Running { pending } = self { pending.take_if(fits) } else { None }
    }
}
