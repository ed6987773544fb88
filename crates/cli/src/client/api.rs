//! REST API client with a project's key, for `dev` and `demo`.

use anyhow::{Context as _, Result};
use reqwest::{Client, Url};
use serde_json::{Value, json};

use super::http;

pub struct Api {
    http: Client,
    base: Url,
    key: String,
}

impl Api {
    /// `server` is the base URL without `/api/v1`.
    pub fn new(server: &str, key: &str) -> Result<Self> {
        let base = http::below(&http::base(server)?, &["api", "v1"])?;
        Ok(Self { http: http::client()?, base, key: key.to_owned() })
    }

    /// Creates an agent. Returns its id.
    pub async fn create_agent(&self, agent: &Value) -> Result<String> {
        let created = self.post(&["agents"], &json!({"agent": agent})).await?;
        text(&created, "id")
    }

    pub async fn agent(&self, id: &str) -> Result<Value> {
        self.get(&["agents", id]).await
    }

    pub async fn graph(&self, agent: &str) -> Result<Value> {
        let whole = self.get(&["agents", agent, "graph"]).await?;
        whole.get("graph").cloned().context("the response has no graph")
    }

    pub async fn update_agent(&self, id: &str, changes: &Value) -> Result<()> {
        let request = self.http.patch(http::below(&self.base, &["agents", id])?).json(&json!({"agent": changes}));
        http::answer(request.header("x-api-key", &self.key)).await?;
        Ok(())
    }

    /// Creates a sandbox session. It becomes active when the phone sends the session's code.
    pub async fn create_session(&self, phone: &str, agent: &str) -> Result<Session> {
        let body = json!({"whatsapp_sandbox_session": {"phone_number": phone, "agent_id": agent}});
        Session::read(&self.post(&["sandbox_sessions"], &body).await?)
    }

    pub async fn session(&self, id: &str) -> Result<Session> {
        Session::read(&self.get(&["sandbox_sessions", id]).await?)
    }

    pub async fn sessions(&self) -> Result<Vec<Session>> {
        list(&self.get(&["sandbox_sessions"]).await?)?.iter().map(Session::read).collect()
    }

    pub async fn latest_execution(&self, agent: &str) -> Result<Option<Execution>> {
        let page = self.get(&["agents", agent, "executions"]).await?;
        list(&page)?.first().map(Execution::read).transpose()
    }

    pub async fn execution(&self, agent: &str, id: &str) -> Result<Execution> {
        Execution::read(&self.get(&["agents", agent, "executions", id]).await?)
    }

    /// Ids of the agent's executions that wait for a person; at most a page.
    pub async fn handed_off(&self, agent: &str) -> Result<Vec<String>> {
        let mut url = http::below(&self.base, &["agents", agent, "executions"])?;
        url.query_pairs_mut().append_pair("q[status_eq]", "handoff");
        list(&self.data(self.http.get(url)).await?)?.iter().map(|execution| text(execution, "id")).collect()
    }

    /// Resumes an execution with a payload.
    pub async fn resume(&self, agent: &str, execution: &str, payload: &Value) -> Result<()> {
        let body = json!({"message": {"type": "payload", "content": payload}});
        self.post(&["agents", agent, "executions", execution, "resume"], &body).await?;
        Ok(())
    }

    /// The latest 100 messages of a conversation, newest first.
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
        body.get_mut("data").map(Value::take).context("the response has no data")
    }
}

#[derive(Debug)]
pub struct Session {
    pub id: String,
    /// `pending_activation`, `active` or `expired`.
    pub status: String,

    pub phone: String,
    /// Activation code that the phone must send.
    pub code: String,
    /// Agent id.
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

#[derive(Debug)]
pub struct Execution {
    pub id: String,

    pub status: String,
    /// Conversation id.
    pub conversation: String,
    /// Error of a failed execution, as JSON.
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
    found.map(str::to_owned).with_context(|| format!("the response has no {name}"))
}

fn list(value: &Value) -> Result<&[Value]> {
    value.as_array().map(Vec::as_slice).context("the response is not a list")
}
