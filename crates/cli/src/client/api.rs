//! The REST API with a project's key, as far as `dev` and `demo` need it.

use anyhow::{Context as _, Result};
use reqwest::{Client, Url};
use serde_json::{Value, json};

use super::http;

/// A project's access to the API.
pub struct Api {
    http: Client,
    base: Url,
    key: String,
}

impl Api {
    /// `server` is its base URL, without `/api/v1`.
    pub fn new(server: &str, key: &str) -> Result<Self> {
        let base = http::below(&http::base(server)?, &["api", "v1"])?;
        Ok(Self { http: http::client()?, base, key: key.to_owned() })
    }

    /// Makes an agent and gives its id.
    pub async fn create_agent(&self, agent: &Value) -> Result<String> {
        let created = self.post(&["agents"], &json!({"agent": agent})).await?;
        text(&created, "id")
    }

    /// An agent's summary.
    pub async fn agent(&self, id: &str) -> Result<Value> {
        self.get(&["agents", id]).await
    }

    /// An agent's graph.
    pub async fn graph(&self, agent: &str) -> Result<Value> {
        let whole = self.get(&["agents", agent, "graph"]).await?;
        whole.get("graph").cloned().context("the answer has no graph")
    }

    /// Changes fields of an agent.
    pub async fn update_agent(&self, id: &str, changes: &Value) -> Result<()> {
        let request = self.http.patch(http::below(&self.base, &["agents", id])?).json(&json!({"agent": changes}));
        http::answer(request.header("x-api-key", &self.key)).await?;
        Ok(())
    }

    /// Lets a phone talk to an agent once it has sent the session's code.
    pub async fn create_session(&self, phone: &str, agent: &str) -> Result<Session> {
        let body = json!({"whatsapp_sandbox_session": {"phone_number": phone, "agent_id": agent}});
        Session::read(&self.post(&["sandbox_sessions"], &body).await?)
    }

    /// One sandbox session.
    pub async fn session(&self, id: &str) -> Result<Session> {
        Session::read(&self.get(&["sandbox_sessions", id]).await?)
    }

    /// The latest sandbox sessions.
    pub async fn sessions(&self) -> Result<Vec<Session>> {
        list(&self.get(&["sandbox_sessions"]).await?)?.iter().map(Session::read).collect()
    }

    /// The latest run of an agent, if there is one.
    pub async fn latest_execution(&self, agent: &str) -> Result<Option<Execution>> {
        let page = self.get(&["agents", agent, "executions"]).await?;
        list(&page)?.first().map(Execution::read).transpose()
    }

    /// One run.
    pub async fn execution(&self, agent: &str, id: &str) -> Result<Execution> {
        Execution::read(&self.get(&["agents", agent, "executions", id]).await?)
    }

    /// Wakes a run with data from a person's work.
    pub async fn resume(&self, agent: &str, execution: &str, payload: &Value) -> Result<()> {
        let body = json!({"message": {"type": "payload", "content": payload}});
        self.post(&["agents", agent, "executions", execution, "resume"], &body).await?;
        Ok(())
    }

    /// The latest messages of a conversation, newest first.
    pub async fn messages(&self, conversation: &str) -> Result<Vec<Value>> {
        let mut url = http::below(&self.base, &["whatsapp_conversations", conversation, "whatsapp_messages"])?;
        url.set_query(Some("per_page=100"));
        Ok(list(&self.data(self.http.get(url)).await?)?.to_vec())
    }

    async fn get(&self, parts: &[&str]) -> Result<Value> {
        self.data(self.http.get(http::below(&self.base, parts)?)).await
    }

    async fn post(&self, parts: &[&str], body: &Value) -> Result<Value> {
        self.data(self.http.post(http::below(&self.base, parts)?).json(body)).await
    }

    async fn data(&self, request: reqwest::RequestBuilder) -> Result<Value> {
        let mut body = http::answer(request.header("x-api-key", &self.key)).await?;
        body.get_mut("data").map(Value::take).context("the answer has no data")
    }
}

/// A sandbox session.
#[derive(Debug)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// `pending_activation`, `active` or `expired`.
    pub status: String,
    /// The phone it is for.
    pub phone: String,
    /// What the phone must send.
    pub code: String,
    /// The agent it leads to.
    pub agent: String,
}

impl Session {
    fn read(value: &Value) -> Result<Self> {
        let agent = value.pointer("/agent/id").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Self {
            id: text(value, "id")?,
            status: text(value, "status")?,
            phone: text(value, "phone_number")?,
            code: text(value, "activation_code")?,
            agent,
        })
    }
}

/// A run of an agent.
#[derive(Debug)]
pub struct Execution {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub status: String,
    /// The conversation it works in.
    pub conversation: String,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

impl Execution {
    fn read(value: &Value) -> Result<Self> {
        let error = value.get("error").filter(|error| !error.is_null()).map(Value::to_string);
        Ok(Self {
            id: text(value, "id")?,
            status: text(value, "status")?,
            conversation: text(value, "whatsapp_conversation_id")?,
            error,
        })
    }
}

fn text(value: &Value, name: &str) -> Result<String> {
    let found = value.get(name).and_then(Value::as_str);
    found.map(str::to_owned).with_context(|| format!("the answer has no {name}"))
}

fn list(value: &Value) -> Result<&[Value]> {
    value.as_array().map(Vec::as_slice).context("the answer is not a list")
}
