//! Test-only: the real application on a random port, with builders that speak the product's language.

pub mod database;
#[cfg(feature = "simulator")]
pub mod simulator;

mod answer;
mod app;
mod mcp_server;
mod model;
mod service;
mod suite;
mod wire;

pub use answer::{Answer, Heard};
pub use app::{ANA, OTHER_NUMBER_ID, OWN_NUMBER_ID, StoredEvent, TestApp};
pub use mcp_server::{McpCall, McpServer};
pub use model::ScriptedModel;
pub use service::{Request, Service};
pub use suite::SUITE;

/// Waits for a condition; panics when it does not come true in ten seconds.
pub async fn until<F: Future<Output = bool>>(condition: impl Fn() -> F) {
    for _ in 0..2_000 {
        if condition().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("the condition did not come true in time");
}
