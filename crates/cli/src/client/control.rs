//! Client of the emulator's control API: acts for the contacts with phones.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Client, Url};
use serde_json::{Value, json};

use super::{
    events::Events,
    http::{self, Refused},
    message::Message,
};

pub struct Control {
    http: Client,
    base: Url,
    shown: String,
    /// Graph id of the business's number.
    number: String,
}

/// Chat on one phone.
#[derive(Debug, Default)]
pub struct Chat {
    /// Messages, oldest first.
    pub messages: Vec<Message>,
}

/// A file that the contact sends.
#[derive(Debug)]
pub struct NewFile {
    /// `image`, `video`, `audio` or `document`.
    pub kind: &'static str,
    pub mime_type: &'static str,
    pub filename: String,
    pub bytes: Vec<u8>,
    pub caption: Option<String>,
}

impl Control {
    /// `emulator` is the base URL. A token is needed if the emulator was started with one.
    pub fn new(emulator: &str, token: Option<&str>) -> Result<Self> {
        let base = http::base(emulator)?;
        let shown = emulator.trim_end_matches('/').to_owned();
        let (http, base) = (http::client_with(token)?, http::below(&base, &["_emulator", "v1"])?);
        Ok(Self { http, base, shown, number: emulator::PHONE_NUMBER_ID.to_owned() })
    }

    /// Selects the number of the business that is written to: its Graph id, or the number that
    /// contacts dial.
    pub async fn to(mut self, wanted: &str) -> Result<Self> {
        let state = self.answer(self.http.get(self.url(&["state"])?)).await?;
        let numbers = state["phone_numbers"].as_array().map(Vec::as_slice).unwrap_or_default();
        let digits: String = wanted.chars().filter(char::is_ascii_digit).collect();
        let found = numbers.iter().find(|number| number["id"] == wanted || number["display"] == digits.as_str());
        let Some(id) = found.and_then(|number| number["id"].as_str()) else {
            let known = numbers.iter().map(|number| format!("{} (+{})", text(&number["id"]), text(&number["display"])));
            bail!("the emulator has no number {wanted}; it has {}", known.collect::<Vec<_>>().join(", "));
        };
        id.clone_into(&mut self.number);
        Ok(self)
    }

    /// Graph id of the number that is written to.
    pub fn number(&self) -> &str {
        &self.number
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
        self.inbound(json!({"from": contact, "text": text})).await
    }

    /// Taps a button or list row, by id or title, of a message of the business. Returns the id of
    /// the contact's message.
    pub async fn tap(&self, contact: &str, message: &str, choice: &str) -> Result<String> {
        self.inbound(json!({"from": contact, "reply_to": message, "tap": choice})).await
    }

    /// Sends a file from the contact to the business. Returns the message's id.
    pub async fn send_file(&self, contact: &str, file: &NewFile) -> Result<String> {
        let NewFile { kind, mime_type, filename, bytes, caption } = file;
        let upload = json!({"base64": STANDARD.encode(bytes), "mime_type": mime_type, "filename": filename,
            "phone_number_id": self.number});
        let stored = self.answer(self.http.post(self.url(&["inbound", "media"])?).json(&upload)).await?;
        let mut content = json!({"id": stored["media_id"]});
        if let Some(caption) = caption {
            content["caption"] = json!(caption);
        }
        self.inbound(json!({"from": contact, "type": kind, (*kind): content})).await
    }

    async fn inbound(&self, mut message: Value) -> Result<String> {
        message["phone_number_id"] = json!(self.number);
        let accepted = self.answer(self.http.post(self.url(&["inbound"])?).json(&message)).await?;
        accepted["message_id"].as_str().map(str::to_owned).context("the emulator's response has no message_id")
    }

    /// Chat of the contact; empty for a contact who never wrote.
    pub async fn chat(&self, contact: &str) -> Result<Chat> {
        let url = self.url(&["chats", &self.number, contact])?;
        let chat = match self.answer(self.http.get(url)).await {
            Err(error) if error.downcast_ref::<Refused>().is_some_and(|refused| refused.status == 404) => {
                return Ok(Chat::default());
            }
            chat => chat?,
        };
        let messages = chat["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(Chat { messages: messages.iter().map(Message::read).collect() })
    }

    /// Edits or deletes a message of the contact.
    pub async fn change(&self, contact: &str, message: &str, action: &str, text: Option<&str>) -> Result<()> {
        let mut body = json!({"message_id": message});
        if let Some(text) = text {
            body["text"] = json!(text);
        }
        self.answer(self.http.post(self.url(&["users", contact, action])?).json(&body)).await?;
        Ok(())
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

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

impl Chat {
    /// Messages from the business, oldest first.
    pub fn answers(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.iter().filter(|message| message.is_answer)
    }
}

/// Interval between two reads of a chat.
pub const POLL_INTERVAL: Duration = Duration::from_millis(100);
