//! WarmEndNode: closes the conversation, and ends it when the contact does not answer for a while.

use super::behaviour::Behaviour;
use crate::text::without_comments;
use domain::{Span, agent::WarmEnd};

pub(super) fn behaviour(settings: &WarmEnd) -> Behaviour {
    Behaviour {
        step_prompt: Some(without_comments(include_str!("../../prompts/warm_end.md"))),
        wait_limit: Some(Span::from_mins(i64::from(settings.timeout_minutes))),
        ..Behaviour::default()
    }
}
