//! The sample agent that `dev` and `demo` make, the same file that people start their own from.

use anyhow::{Context as _, Result};
use serde_json::Value;

const SHOP: &str = include_str!("../../../examples/shop-agent.json");
/// Stands in the file where the address of the order service belongs.
const ORDERS_URL: &str = "{{vars.orders_url}}";

/// The shop's agent, with its order tool at `orders_url`.
pub fn shop_agent(orders_url: &str) -> Result<Value> {
    serde_json::from_str(&SHOP.replace(ORDERS_URL, orders_url)).context("examples/shop-agent.json is not JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_agent_asks_the_given_order_service() {
        let agent = shop_agent("http://127.0.0.1:4200").unwrap().to_string();
        assert!(agent.contains("\"http://127.0.0.1:4200/orders/#{order_number}\""), "{agent}");
        assert!(!agent.contains("{{"), "{agent}");
    }
}
