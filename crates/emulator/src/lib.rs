//! Local WhatsApp emulator: Meta's Graph API, webhooks, and the phones of its users.
//!
//! `dev`, the demo and every offline test run against this server instead of Meta. It speaks the
//! same HTTP (Graph API in, signed webhooks out). A control API at `/_emulator/v1` acts for the
//! contacts who hold the phones. All state is in memory; webhook posts are the only outgoing
//! requests. The same seed, calls and clock movements produce the same bytes.
//!
//! Known simplifications: one app and one business account; media links are not fetched or
//! checked; no payments, calls or groups; quality and tiers change through the control API only.

mod accounts;
mod chats;
mod clock;
mod config;
mod connection;
mod control;
mod credentials;
mod driver;
mod emulator;
mod faults;
mod feed;
mod fire;
mod graph;
mod guard;
mod ids;
mod limits;
mod media;
mod messages;
mod requests;
mod state;
mod statuses;
mod templates;
mod timers;
mod users;
mod webhooks;
mod world;

pub mod orders;

pub use clock::{ClockMode, START_SECONDS};
pub use config::{Config, Exposure};
pub use credentials::{ACCESS_TOKEN, APP_SECRET, Credentials, VERIFY_TOKEN};
pub use emulator::{Emulator, Error, Quiescence, start};
pub use users::User;
pub use world::{
    APP_ID, DISPLAY_PHONE_NUMBER, OWN_DISPLAY_NUMBER, OWN_NUMBER_ID, PHONE_NUMBER_ID, PhoneNumber, WABA_ID, World,
};
