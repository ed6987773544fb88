//! `message` of create and resume: a text, or `{type, content}`.

use crate::api::{Time, words};
use domain::{Timestamp, execution::ExecutionInput, message::Direction};
use engine::EarlierMessage;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Input of an execution.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Message {
    Text(InputText),
    Structured(StructuredMessage),
}

#[derive(Deserialize, ToSchema)]
#[schema(as = Said, min_length = 1, max_length = 4096, pattern = r"\S")]
pub(crate) struct InputText(String);

/// Text of a contact, or data of a system; `type` tells which.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(discriminator(property_name = "type", mapping(
    ("user_input" = "#/components/schemas/UserInputMessage"),
    ("payload" = "#/components/schemas/PayloadInputMessage")
)))]
pub(crate) enum StructuredMessage {
    UserInput(UserInputMessage),
    Payload(PayloadInputMessage),
}

/// Text of a contact.
#[derive(Deserialize, ToSchema)]
pub(crate) struct UserInputMessage {
    #[serde(rename = "type")]
    _type: UserInputType,
    content: UserInput,
    /// Ignored.
    #[serde(rename = "metadata")]
    _metadata: Option<Map<String, Value>>,
}

/// Data of a system, shown to the model as such.
#[derive(Deserialize, ToSchema)]
pub(crate) struct PayloadInputMessage {
    #[serde(rename = "type")]
    _type: PayloadInputType,
    content: Map<String, Value>,
    /// Ignored.
    #[serde(rename = "metadata")]
    _metadata: Option<Map<String, Value>>,
}

#[derive(Deserialize, ToSchema)]
enum UserInputType {
    #[serde(rename = "user_input")]
    UserInput,
}

#[derive(Deserialize, ToSchema)]
enum PayloadInputType {
    #[serde(rename = "payload")]
    Payload,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct UserInput {
    text: InputText,
    /// Earlier messages unknown to the agent; only when an execution starts. Messages newer than
    /// the text are ignored.
    #[schema(max_items = 100)]
    message_contexts: Option<Vec<MessageContext>>,
}

/// A message from before the execution.
#[derive(Deserialize, ToSchema)]
pub(crate) struct MessageContext {
    #[schema(max_length = 4096)]
    content: String,
    #[schema(value_type = ContextDirection)]
    direction: String,
    sent_at: Time,
}

words!(
    /// Sender: the contact or the business.
    ContextDirection = "inbound", "outbound"
);

impl Message {
    /// Earlier messages, oldest first.
    pub(super) fn earlier(&self, now: Timestamp) -> Vec<EarlierMessage> {
        let Self::Structured(StructuredMessage::UserInput(UserInputMessage { content, .. })) = self else {
            return Vec::new();
        };
        let given = content.message_contexts.iter().flatten().map(|given| EarlierMessage {
            id: None,
            direction: if given.direction == Direction::Inbound.as_str() {
                Direction::Inbound
            } else {
                Direction::Outbound
            },
            text: given.content.clone(),
            sent_at: given.sent_at.0,
            picture: None,
        });
        let mut earlier: Vec<EarlierMessage> = given.filter(|given| given.sent_at < now).collect();
        earlier.sort_by_key(|message| message.sent_at);
        earlier
    }
}

impl From<Message> for ExecutionInput {
    fn from(message: Message) -> Self {
        match message {
            Message::Text(text) => Self::UserInput { text: text.0 },
            Message::Structured(StructuredMessage::UserInput(message)) => {
                Self::UserInput { text: message.content.text.0 }
            }
            Message::Structured(StructuredMessage::Payload(message)) => Self::Payload { value: message.content.into() },
        }
    }
}
