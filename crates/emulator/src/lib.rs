//! A whole WhatsApp in a box: Meta's endpoints, phones and webhooks on this machine.
//!
//! `dev`, the demo and every offline test run against this server instead of Meta. It speaks the
//! same HTTP (a Graph API in, signed webhooks out) and adds a control API at `/_emulator/v1` that
//! plays the people who hold the phones. It keeps everything in memory and never reaches the
//! network except for webhook posts. Its behaviour follows from a seed, the calls it received and
//! its own clock: the same three give the same bytes.
//!
//! Known simplifications: one app and one business account, no real fetching or checking of media,
//! no payments, calls or groups; quality and tiers change by control only.

mod accounts;
mod chats;
mod clock;
mod config;
mod connection;
mod control;
mod emulator;
mod faults;
mod feed;
mod graph;
mod ids;
mod limits;
mod media;
mod requests;
mod driver;
mod state;
mod statuses;
mod templates;
mod timers;
mod users;
mod webhooks;
mod world;

pub mod orders;

pub use clock::ClockMode;
pub use config::Config;
pub use emulator::{Emulator, Error, Quiescence, start};
pub use users::User;
pub use world::{
    ACCESS_TOKEN, APP_ID, APP_SECRET, DISPLAY_PHONE_NUMBER, OWN_DISPLAY_NUMBER, OWN_NUMBER_ID, PHONE_NUMBER_ID,
    PhoneNumber, START_SECONDS, VERIFY_TOKEN, WABA_ID, World,
};
