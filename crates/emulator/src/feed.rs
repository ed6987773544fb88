//! Live feed of messages, statuses and typing indicators.
//!
//! Listeners are optional. A listener that falls behind loses the oldest events.

use serde_json::{Value, json};
use tokio::sync::broadcast;

#[derive(Debug, Clone)]
pub(crate) struct FeedEvent {
    pub(crate) name: &'static str,
    pub(crate) body: Value,
}

pub(crate) struct Feed {
    sender: broadcast::Sender<FeedEvent>,
}

impl Feed {
    pub(crate) fn new() -> Self {
        Self { sender: broadcast::Sender::new(1024) }
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<FeedEvent> {
        self.sender.subscribe()
    }

    pub(crate) fn message(&self, number: &str, user: &str, message: &Value) {
        let body = json!({"phone_number_id": number, "user": user, "message": message});
        self.publish("message", body);
    }

    pub(crate) fn status(&self, number: &str, user: &str, message_id: &str, status: &Value) {
        let body = json!({
            "phone_number_id": number, "user": user, "message_id": message_id, "status": status,
        });
        self.publish("status", body);
    }

    pub(crate) fn typing(&self, number: &str, user: &str, typing: bool) {
        let body = json!({"phone_number_id": number, "user": user, "typing": typing});
        self.publish("typing", body);
    }

    fn publish(&self, name: &'static str, body: Value) {
        // An error only means that there is no listener.
        let _ = self.sender.send(FeedEvent { name, body });
    }
}
