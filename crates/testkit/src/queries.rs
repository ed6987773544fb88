//! Reads of the API that many tests need.

use crate::TestApp;
use serde_json::Value;

impl TestApp {
    /// Latest execution of an agent.
    pub async fn execution(&self, agent_id: &str) -> Value {
        let list = self.get(&format!("/api/v1/agents/{agent_id}/executions")).await;
        list.data()[0].clone()
    }

    /// Messages of the latest conversation, oldest first.
    pub async fn messages(&self) -> Vec<Value> {
        let conversations = self.get("/api/v1/whatsapp_conversations").await;
        let id = conversations.data()[0]["id"].as_str().expect("a conversation").to_owned();
        let list = self.get(&format!("/api/v1/whatsapp_conversations/{id}/whatsapp_messages?per_page=100")).await;
        list.data().as_array().expect("a list").iter().rev().cloned().collect()
    }
}
