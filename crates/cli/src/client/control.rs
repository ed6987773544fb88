//! The emulator's control API: what the people with phones do and see.

use std::time::Duration;

use anyhow::{Context as _, Result};
use reqwest::{Client, Url};
use serde_json::{Value, json};

use super::{
    events::Events,
    http::{self, Refused},
};

/// The people of one emulator.
pub struct Control {
    http: Client,
    base: Url,
    shown: String,
}

/// What one phone shows.
#[derive(Debug, Default)]
pub struct Chat {
    /// Oldest first.
    pub messages: Vec<Message>,
}

/// One message on a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// WhatsApp's id.
    pub id: String,
    /// From the business; the others are the person's own.
    pub is_answer: bool,
    /// What it says, or its type in brackets.
    pub text: String,
}

impl Control {
    /// `emulator` is its base URL.
    pub fn new(emulator: &str) -> Result<Self> {
        let base = http::base(emulator)?;
        let shown = emulator.trim_end_matches('/').to_owned();
        Ok(Self { http: http::client()?, base: http::below(&base, &["_emulator", "v1"])?, shown })
    }

    /// The person of this name or number, made if there is none; the answer is the emulator's key for them.
    pub async fn person(&self, who: &str, changes: &Value) -> Result<String> {
        // A new person is called by the digits, as the emulator does with strangers who write.
        let name = who.strip_prefix('+').unwrap_or(who);
        let request = self.http.put(self.url(&["users", name])?).json(changes);
        let person = self.answer(request).await?;
        person["key"].as_str().map(str::to_owned).context("the emulator's answer has no key")
    }

    /// The person writes to the business; the answer is the message's id.
    pub async fn write(&self, who: &str, text: &str) -> Result<String> {
        let request = self.http.post(self.url(&["inbound"])?).json(&json!({"from": who, "text": text}));
        let accepted = self.answer(request).await?;
        accepted["message_id"].as_str().map(str::to_owned).context("the emulator's answer has no message_id")
    }

    /// What the person's phone shows; nothing for somebody who never wrote.
    pub async fn chat(&self, who: &str) -> Result<Chat> {
        let url = self.url(&["chats", emulator::PHONE_NUMBER_ID, who])?;
        let chat = match self.answer(self.http.get(url)).await {
            Err(error) if error.downcast_ref::<Refused>().is_some_and(|refused| refused.status == 404) => {
                return Ok(Chat::default());
            }
            chat => chat?,
        };
        let messages = chat["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(Chat { messages: messages.iter().map(Message::read).collect() })
    }

    /// The person reads a message and all before it.
    pub async fn read(&self, who: &str, message: &str) -> Result<()> {
        let request = self.http.post(self.url(&["users", who, "read"])?).json(&json!({"message_id": message}));
        self.answer(request).await?;
        Ok(())
    }

    /// Sends webhooks to a server from now on; it must answer the handshake.
    pub async fn call_back(&self, callback: &str, verify_token: &str) -> Result<()> {
        let body = json!({"callback_url": callback, "verify_token": verify_token});
        self.answer(self.http.put(self.url(&["webhooks", "config"])?).json(&body)).await?;
        Ok(())
    }

    /// WhatsApp takes one message in six seconds for each person on average. Nobody who tries an agent is that patient.
    pub async fn lift_pair_rate(&self) -> Result<()> {
        self.answer(self.http.put(self.url(&["limits"])?).json(&json!({"pair_rate": false}))).await?;
        Ok(())
    }

    /// Everything that happens from now on.
    pub async fn events(&self) -> Result<Events> {
        let response = self.http.get(self.url(&["events"])?).send().await.map_err(reqwest::Error::without_url);
        let response = response.and_then(reqwest::Response::error_for_status).with_context(|| self.absent())?;
        Ok(Events::new(response))
    }

    fn url(&self, parts: &[&str]) -> Result<Url> {
        http::below(&self.base, parts)
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Value> {
        match http::answer(request).await {
            Err(error) if error.downcast_ref::<Refused>().is_none() => Err(error.context(self.absent())),
            answer => answer,
        }
    }

    fn absent(&self) -> String {
        format!("no emulator answers at {}; start one with `dev`, or say where it is with --emulator-url", self.shown)
    }
}

impl Message {
    /// From the control API's form.
    pub fn read(message: &Value) -> Self {
        let kind = message["type"].as_str().unwrap_or("unknown");
        let text = message["content"]["body"].as_str().map_or_else(|| format!("[{kind}]"), str::to_owned);
        let id = message["id"].as_str().unwrap_or_default().to_owned();
        Self { id, is_answer: message["direction"] == "out", text }
    }
}

impl Chat {
    /// What the business wrote, oldest first.
    pub fn answers(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.iter().filter(|message| message.is_answer)
    }
}

/// Between two looks at a phone.
pub const LOOK_EVERY: Duration = Duration::from_millis(100);
