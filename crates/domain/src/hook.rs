//! Outgoing webhooks: events, payload versions and the retry schedule.

use crate::{Span, words};

words! {
    /// The first eight are those of the contract.
    #[derive(Hash)]
    pub enum HookEvent {
        MessageReceived = "whatsapp.message.received",
        MessageSent = "whatsapp.message.sent",
        MessageDelivered = "whatsapp.message.delivered",
        MessageRead = "whatsapp.message.read",
        MessageFailed = "whatsapp.message.failed",
        ConversationCreated = "whatsapp.conversation.created",
        ConversationEnded = "whatsapp.conversation.ended",
        ConversationInactive = "whatsapp.conversation.inactive",
        ExecutionStarted = "execution.started",
        ExecutionEnded = "execution.ended",
        ExecutionFailed = "execution.failed",
        ExecutionHandoff = "execution.handoff",
        TemplateStatus = "whatsapp.template.status",
        NumberHealth = "whatsapp.number.health",
        TestRunFinished = "test_run.finished",
        /// An endpoint was paused because it failed for three days.
        WebhookPaused = "webhook.paused",
        /// Sent on request, to try an endpoint.
        WebhookTest = "webhook.test",
    }

    pub enum PayloadVersion {
        V1 = "v1",
        V2 = "v2",
    }

    pub enum EndpointOrigin {
        /// Created for a number, with the contract's operations.
        Number = "number",
        /// Created for all numbers of a project.
        Project = "project",
        /// The `webhook_destination_url` of a config.
        Destination = "destination",
    }

    pub enum DeliveryState {
        /// A batch that takes more events until its window ends.
        Open = "open",
        Pending = "pending",
        Delivered = "delivered",
        /// All attempts failed.
        Failed = "failed",
    }
}

impl HookEvent {
    /// The number of events of the contract, which come first in [`HookEvent::ALL`].
    pub const CONTRACT: usize = 8;

    /// True for the events that an endpoint of a number may ask for.
    pub fn is_of_contract(self) -> bool {
        Self::ALL[..Self::CONTRACT].contains(&self)
    }

    /// True for events that a subscription may name: a test is sent on request only.
    pub fn may_be_subscribed(self) -> bool {
        self != Self::WebhookTest
    }
}

/// Waits between the attempts at a delivery (docs/spec/reliability.md 6). The first three are the
/// contract's and exact.
pub const RETRY_AFTER: [Span; 9] = [
    Span::from_secs(10),
    Span::from_secs(40),
    Span::from_secs(90),
    Span::from_mins(5),
    Span::from_mins(30),
    Span::from_hours(2),
    Span::from_hours(6),
    Span::from_hours(12),
    Span::from_hours(24),
];

/// Failing for this long pauses an endpoint.
pub const PAUSED_AFTER: Span = Span::from_hours(72);

/// Wait after this many failed attempts; `None` if there is no further one. Longer waits grow by up
/// to a tenth: `random` spreads the retries of one outage.
pub fn retry_after(attempts: i64, random: u8) -> Option<Span> {
    let step = usize::try_from(attempts.checked_sub(1)?).ok()?;
    let wait = *RETRY_AFTER.get(step)?;
    let spread = if step < 3 { 0 } else { wait.micros() / 10 * i64::from(random) / 255 };
    Some(Span::from_micros(wait.micros() + spread))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_follow_the_schedule_and_end() {
        let waits: Vec<i64> = (1..=9).map(|attempts| retry_after(attempts, 0).unwrap().micros() / 1_000_000).collect();
        assert_eq!(waits, [10, 40, 90, 300, 1_800, 7_200, 21_600, 43_200, 86_400]);
        assert_eq!(retry_after(10, 0), None);
        assert_eq!(retry_after(1, 255), Some(Span::from_secs(10)), "the contract's waits are exact");
        assert_eq!(retry_after(4, 255), Some(Span::from_secs(330)));
    }

    #[test]
    fn only_the_contract_s_eight_events_are_for_numbers() {
        let names: Vec<&str> =
            HookEvent::ALL.iter().filter(|event| event.is_of_contract()).map(|e| e.as_str()).collect();
        assert_eq!(names.len(), 8);
        assert!(
            names
                .iter()
                .all(|name| name.starts_with("whatsapp.message.") || name.starts_with("whatsapp.conversation."))
        );
    }
}
