//! What becomes of an accepted message: the statuses the phone's network reports, and when.
//!
//! The outcome is decided as late as it is on the real network: a person who blocks us or goes
//! offline between `sent` and `delivered` still matters.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    chats::{Message, StatusEntry},
    clock::Millis,
    graph,
    limits::WindowMode,
    state::State,
    timers::Job,
    users::User,
    webhooks::{Event, contact, envelope, messages_value},
};

const SENT_AFTER: Millis = 200;
const DELIVERED_AFTER: Millis = 800;
/// Longer than this an offline phone is not waited for.
const KEPT_FOR: Millis = 30 * 24 * 3_600_000;
/// Between the webhooks of reversed statuses, so that their order is certain.
const REVERSED_GAP: Millis = 100;

/// How far a message got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StatusKind {
    Sent,
    Delivered,
    Read,
    Played,
    Failed,
    Deleted,
}

impl StatusKind {
    fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Played => "played",
            Self::Failed => "failed",
            Self::Deleted => "deleted",
        }
    }
}

impl State {
    /// Why a free-form message to this person will fail, if it will.
    pub(crate) fn later_failure(&self, number: &str, user: &User, is_template: bool) -> Option<u32> {
        if !user.on_whatsapp {
            return Some(131_026);
        }
        let open = is_template
            || self.limits.switches.window == WindowMode::Off
            || self.chats.window_is_open(number, &user.key, self.clock.now());
        (!open).then_some(131_047)
    }

    /// Queue the statuses of a message that was just accepted. When `sent` is reported at once
    /// (a fault), the answer is the delivery to wait for.
    pub(crate) fn schedule_statuses(&mut self, message: &str, sent_at_once: bool) -> Option<u64> {
        let now = self.clock.now();
        let fails = self.chats.message(message)?.fails_with.is_some();
        let job = |status| Job::Status { message: message.to_owned(), status };
        if fails {
            self.timers.push(now + SENT_AFTER, job(StatusKind::Failed));
            return None;
        }
        let delivery = if sent_at_once {
            self.report(message, StatusKind::Sent, None)
        } else {
            self.timers.push(now + SENT_AFTER, job(StatusKind::Sent));
            None
        };
        let is_reaction = self.chats.message(message).is_some_and(|message| message.kind == "reaction");
        if !is_reaction {
            self.timers.push(now + DELIVERED_AFTER, job(StatusKind::Delivered));
        }
        delivery
    }

    /// A scheduled status is due: report it if the phone allows it.
    pub(crate) fn status_is_due(&mut self, message: &str, status: StatusKind) {
        let Some(entry) = self.chats.message_mut(message) else { return };
        let Some(user) = self.users.get(&entry.user).cloned() else { return };
        let error = match status {
            StatusKind::Failed => entry.fails_with,
            StatusKind::Delivered | StatusKind::Read | StatusKind::Played if entry.has(status) || user.blocked => {
                return;
            }
            StatusKind::Delivered if !user.online => {
                entry.waits_for_phone = true;
                return;
            }
            _ => None,
        };
        self.report(message, status, error);
        if let (StatusKind::Delivered, Some(ms)) = (status, user.auto_read_ms) {
            let is_voice = |message: &Message| message.kind == "audio" && message.content["voice"] == true;
            let played = self.chats.message(message).is_some_and(is_voice);
            let status = if played { StatusKind::Played } else { StatusKind::Read };
            let job = Job::Status { message: message.to_owned(), status };
            self.timers.push(self.clock.now().saturating_add(ms), job);
        }
    }

    /// The phone came online: what waited for it arrives, unless it waited too long.
    pub(crate) fn phone_is_online(&mut self, user: &str) {
        let now = self.clock.now();
        for id in self.chats.waiting_for(user) {
            let Some(message) = self.chats.message_mut(&id) else { continue };
            message.waits_for_phone = false;
            if now.saturating_sub(message.at) <= KEPT_FOR {
                let status = StatusKind::Delivered;
                self.timers.push(now, Job::Status { message: id, status });
            }
        }
    }

    /// Write a status down and send its webhook; the answer is the delivery, if there is one yet.
    pub(crate) fn report(&mut self, id: &str, status: StatusKind, error: Option<u32>) -> Option<u64> {
        let at = self.clock.now();
        let error = error.map(graph::webhook_error);
        let message = self.chats.message_mut(id)?;
        let entry = StatusEntry { status, at, error: error.clone() };
        self.feed.status(&message.number, &message.user, id, &entry.to_json());
        message.statuses.push(entry);
        let message = message.clone();
        let body = self.status_body(&message, status, at, error)?;
        if message.reversed && status == StatusKind::Sent {
            self.chats.message_mut(id)?.held.push((status, body));
            return None;
        }
        let delivery = self.emit(self.status_event(&message, status, 0), &body);
        if message.reversed && status == StatusKind::Delivered {
            let held = std::mem::take(&mut self.chats.message_mut(id)?.held);
            for (status, body) in held {
                let event = self.status_event(&message, status, REVERSED_GAP);
                self.emit(event, &body);
            }
        }
        Some(delivery)
    }

    fn status_event(&self, message: &Message, status: StatusKind, delay: Millis) -> Event {
        Event {
            name: format!("status:{}", status.name()),
            number: Some(message.number.clone()),
            people: self.names_of(&message.user),
            kind: Some(message.kind.clone()),
            hold: false,
            delay,
        }
    }

    fn status_body(&self, message: &Message, status: StatusKind, at: Millis, error: Option<Value>) -> Option<Value> {
        let user = self.users.get(&message.user)?;
        let mut body = json!({
            "id": message.id, "status": status, "timestamp": (at / 1000).to_string(),
        });
        if let Some(wa_id) = user.shown_wa_id() {
            body["recipient_id"] = json!(wa_id);
        }
        if let Some(user_id) = &user.user_id {
            body["recipient_user_id"] = json!(user_id);
        }
        if !matches!(status, StatusKind::Failed | StatusKind::Deleted) {
            let category = message.category.as_deref().unwrap_or("service");
            let free = matches!(category, "service" | "utility");
            body["pricing"] = json!({
                "billable": !free, "pricing_model": "PMP",
                "type": if free { "free_customer_service" } else { "regular" }, "category": category,
            });
        }
        if let Some(opaque) = &message.opaque {
            body["biz_opaque_callback_data"] = json!(opaque);
        }
        if let Some(error) = error {
            body["errors"] = json!([error]);
        }
        // A recipient without an account is nobody's contact.
        let contact = user.on_whatsapp.then(|| contact(user));
        let value = messages_value(&self.world, &message.number, contact, "statuses", body);
        Some(envelope(&self.world, "messages", value, None))
    }
}
