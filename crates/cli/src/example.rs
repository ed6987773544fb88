//! Sample agent of `dev` and `demo`, from `examples/shop-agent.json`.

use anyhow::{Context as _, Result};
use serde_json::Value;

const SHOP: &str = include_str!("../../../examples/shop-agent.json");
/// Placeholder in the file for the order service's URL.
const ORDERS_URL: &str = "{{vars.orders_url}}";

/// Loads the shop agent with its order tool at `orders_url`.
pub fn shop_agent(orders_url: &str) -> Result<Value> {
    serde_json::from_str(&SHOP.replace(ORDERS_URL, orders_url)).context("examples/shop-agent.json is not JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_agent_uses_the_given_order_service() {
        let agent = shop_agent("http://127.0.0.1:4200").unwrap().to_string();
        assert!(agent.contains("\"http://127.0.0.1:4200/orders/#{order_number}\""), "{agent}");
        assert!(!agent.contains("{{"), "{agent}");
    }
}
