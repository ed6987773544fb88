//! Filters of the audit log, for the list and the export.

use crate::api::Time;
use serde::Deserialize;
use store::audit::Filter;
use utoipa::IntoParams;

#[derive(Deserialize, IntoParams)]
pub(super) struct AuditFilters {
    /// Exact actor: `key:` or `user:` and an id, or `operator`.
    #[serde(rename = "q[actor_eq]")]
    actor: Option<String>,
    /// Exact action, such as `agent.update`.
    #[serde(rename = "q[action_eq]")]
    action: Option<String>,
    /// Written at or after this time.
    #[serde(rename = "q[created_at_gteq]")]
    #[param(inline)]
    from: Option<Time>,
    /// Written at or before this time.
    #[serde(rename = "q[created_at_lteq]")]
    #[param(inline)]
    to: Option<Time>,
}

impl AuditFilters {
    pub(super) fn filter(&self) -> Filter {
        Filter {
            actor: self.actor.clone(),
            action: self.action.clone(),
            from: self.from.map(|time| time.0),
            to: self.to.map(Time::end),
        }
    }
}
