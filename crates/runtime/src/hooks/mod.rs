//! Outgoing webhooks: writes an event and its deliveries in the transaction of the change.
//!
//! `hook_delivery` sends them. Each function of `events` is called where the change is written, and
//! does nothing if no endpoint asks for the event.

mod credentials;
mod events;
mod payload;
mod publish;

pub use credentials::{Credentials, PreviousKey};
pub use events::test;
pub(crate) use events::{
    ExecutionChange, conversation_created, conversation_ended, endpoint_paused, execution_changed, inactive,
    message_emptied, message_received, message_status, test_run_finished,
};
pub use events::{number_health, template_status};
