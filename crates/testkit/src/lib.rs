//! Test-only: the real application on a random port, with stand-ins for the services around it.

pub mod bombs;
pub mod database;
pub mod dialects;
#[cfg(feature = "simulator")]
pub mod simulator;

mod answer;
mod app;
mod mcp_server;
mod model;
mod queries;
mod service;
mod suite;
mod wire;

pub use answer::{Answer, RecordedCall};
pub use app::{ANA, AnotherNode, OTHER_NUMBER_ID, OWN_NUMBER_ID, StoredEvent, TestApp};
pub use mcp_server::{McpCall, McpServer};
pub use model::ScriptedModel;
pub use service::{Request, Service};
pub use suite::SUITE;

/// Polls a condition; panics if it is not true within ten seconds.
pub async fn until<F: Future<Output = bool>>(condition: impl Fn() -> F) {
    for _ in 0..2_000 {
        if condition().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("the condition did not become true in time");
}
