//! Review of new and edited templates: the decision, its timer and its webhook.

use serde_json::{Value, json};

use super::Approval;
use crate::{state::State, timers::Job};

impl State {
    /// Schedules the decision about a pending template.
    pub(crate) fn submit_template(&mut self, id: &str) {
        let Some(template) = self.templates.get(id) else { return };
        let (wait, status) = match &self.templates.approval {
            Approval::Manual => return,
            Approval::AutoMs(ms) => (*ms, "APPROVED"),
            Approval::RejectIf(text) if json!(template.components).to_string().contains(text.as_str()) => {
                (0, "REJECTED")
            }
            Approval::RejectIf(_) => (0, "APPROVED"),
        };
        let job = Job::Template { id: id.to_owned(), status: status.to_owned() };
        self.timers.push(self.clock.now() + wait, job);
    }

    /// Sets a template's status and emits its webhook. Returns the delivery; `None` for an unknown
    /// template.
    pub(crate) fn decide_template(
        &mut self,
        id: &str,
        status: &str,
        reason: Option<&str>,
        rejection: Option<Value>,
    ) -> Option<u64> {
        let template = self.templates.get_mut(id)?;
        status.clone_into(&mut template.status);
        let default = if status == "REJECTED" { "INVALID_FORMAT" } else { "NONE" };
        reason.unwrap_or(default).clone_into(&mut template.rejected_reason);
        let mut value = json!({
            "event": status,
            // Meta sends this id as a number, unlike all others.
            "message_template_id": template.id.parse::<u64>().ok(),
            "message_template_name": template.name,
            "message_template_language": template.language,
            "reason": template.rejected_reason,
            "message_template_category": template.category,
        });
        if let Some(rejection) = rejection {
            value["rejection_info"] = rejection;
        }
        Some(self.emit_account_event("message_template_status_update", "template", value))
    }
}
