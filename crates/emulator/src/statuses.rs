//! Statuses of accepted messages and their schedule.
//!
//! The outcome is decided as late as on the real network: it still matters if a contact blocks the
//! business or goes offline between `sent` and `delivered`.

use serde_json::{Value, json};

use crate::{
    clock::Millis,
    graph,
    limits::WindowMode,
    messages::{Message, StatusEntry, StatusKind},
    state::State,
    timers::Job,
    users::User,
    webhooks::{Event, contact, envelope, messages_value},
};

const SENT_AFTER: Millis = 200;
const DELIVERED_AFTER: Millis = 800;
/// Messages to an offline phone are dropped after this time.
const STORED_FOR: Millis = 30 * 24 * 3_600_000;
/// Gap between the webhooks of reversed statuses, which makes their order certain.
const REVERSED_GAP: Millis = 100;

impl State {
    /// Error code with which a message to this contact will fail, if it will.
    pub(crate) fn later_failure(&self, number: &str, user: &User, is_template: bool) -> Option<u32> {
        if !user.on_whatsapp {
            return Some(131_026);
        }
        let open = is_template
            || self.limits.switches.window == WindowMode::Off
            || self.chats.window_is_open(number, &user.key, self.clock.now());
        (!open).then_some(131_047)
    }

    /// Queues the statuses of a message that was just accepted. If a fault reports `sent` at once,
    /// returns the delivery to wait for.
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

    /// Reports a scheduled status if the phone allows it.
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

    /// Delivers what waited for a phone that came online, unless it waited too long.
    pub(crate) fn deliver_waiting(&mut self, user: &str) {
        let now = self.clock.now();
        for id in self.chats.waiting_for(user) {
            let Some(message) = self.chats.message_mut(&id) else { continue };
            message.waits_for_phone = false;
            if now.saturating_sub(message.at) <= STORED_FOR {
                let status = StatusKind::Delivered;
                self.timers.push(now, Job::Status { message: id, status });
            }
        }
    }

    /// Stores a status and emits its webhook. Returns the delivery, if there is one yet.
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
        // Meta sends no contact for a recipient without an account.
        let contact = user.on_whatsapp.then(|| contact(user));
        let value = messages_value(&self.world, &message.number, contact, "statuses", body);
        Some(envelope(&self.world, "messages", value, None))
    }
}
