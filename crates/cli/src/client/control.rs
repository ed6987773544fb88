//! Client of the emulator's control API: acts for the contacts with phones.

use std::time::Duration;

use anyhow::{Context as _, Result};
use reqwest::{Client, Url};
use serde_json::{Value, json};

use super::{
    events::Events,
    http::{self, Refused},
};

pub struct Control {
    http: Client,
    base: Url,
    shown: String,
}

/// Chat on one phone.
#[derive(Debug, Default)]
pub struct Chat {
    /// Messages, oldest first.
    pub messages: Vec<Message>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// WhatsApp message id.
    pub id: String,
    /// True for messages from the business, false for the contact's own.
    pub is_answer: bool,
    /// Text, or the message type in brackets.
    pub text: String,
}

impl Control {
    /// `emulator` is the base URL. A token is needed if the emulator was started with one.
    pub fn new(emulator: &str, token: Option<&str>) -> Result<Self> {
        let base = http::base(emulator)?;
        let shown = emulator.trim_end_matches('/').to_owned();
        Ok(Self { http: http::client_with(token)?, base: http::below(&base, &["_emulator", "v1"])?, shown })
    }

    /// Finds or creates the contact with this key or number and applies `changes`. Returns the key.
    pub async fn ensure_contact(&self, contact: &str, changes: &Value) -> Result<String> {
        // The key of a new contact is the number's digits, as for unknown senders in the emulator.
        let name = contact.strip_prefix('+').unwrap_or(contact);
        let request = self.http.put(self.url(&["users", name])?).json(changes);
        let contact = self.answer(request).await?;
        contact["key"].as_str().map(str::to_owned).context("the emulator's response has no key")
    }

    /// Sends a message from the contact to the business. Returns its id.
    pub async fn send(&self, contact: &str, text: &str) -> Result<String> {
        let request = self.http.post(self.url(&["inbound"])?).json(&json!({"from": contact, "text": text}));
        let accepted = self.answer(request).await?;
        accepted["message_id"].as_str().map(str::to_owned).context("the emulator's response has no message_id")
    }

    /// Chat of the contact; empty for a contact who never wrote.
    pub async fn chat(&self, contact: &str) -> Result<Chat> {
        let url = self.url(&["chats", emulator::PHONE_NUMBER_ID, contact])?;
        let chat = match self.answer(self.http.get(url)).await {
            Err(error) if error.downcast_ref::<Refused>().is_some_and(|refused| refused.status == 404) => {
                return Ok(Chat::default());
            }
            chat => chat?,
        };
        let messages = chat["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(Chat { messages: messages.iter().map(Message::read).collect() })
    }

    /// Marks a message and all earlier ones as read.
    pub async fn read(&self, contact: &str, message: &str) -> Result<()> {
        let request = self.http.post(self.url(&["users", contact, "read"])?).json(&json!({"message_id": message}));
        self.answer(request).await?;
        Ok(())
    }

    /// Sets the receiver of webhooks. It must answer the handshake.
    pub async fn set_callback(&self, callback: &str, verify_token: &str) -> Result<()> {
        let body = json!({"callback_url": callback, "verify_token": verify_token});
        self.answer(self.http.put(self.url(&["webhooks", "config"])?).json(&body)).await?;
        Ok(())
    }

    /// Disables WhatsApp's limit of one message in six seconds per contact, which would slow down a
    /// trial of an agent.
    pub async fn disable_pair_rate(&self) -> Result<()> {
        self.answer(self.http.put(self.url(&["limits"])?).json(&json!({"pair_rate": false}))).await?;
        Ok(())
    }

    /// Opens the live feed.
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
        format!("no emulator answers at {}; start one with `dev`, or set its address with --emulator-url", self.shown)
    }
}

impl Message {
    /// Reads the control API's JSON.
    pub fn read(message: &Value) -> Self {
        let kind = message["type"].as_str().unwrap_or("unknown");
        let text = message["content"]["body"].as_str().map_or_else(|| format!("[{kind}]"), str::to_owned);
        let id = message["id"].as_str().unwrap_or_default().to_owned();
        Self { id, is_answer: message["direction"] == "out", text }
    }
}

impl Chat {
    /// Messages from the business, oldest first.
    pub fn answers(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.iter().filter(|message| message.is_answer)
    }
}

/// Interval between two reads of a chat.
pub const POLL_INTERVAL: Duration = Duration::from_millis(100);
