//! The `message` of create and resume: a text, or `{type, content}`.

use domain::execution::ExecutionInput;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// What is said or given to an execution.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Message {
    Text(Said),
    Structured(StructuredMessage),
}

#[derive(Deserialize, ToSchema)]
#[schema(min_length = 1, max_length = 4096, pattern = r"\S")]
pub(crate) struct Said(String);

/// Text of a person, or data of a system.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum StructuredMessage {
    UserInput {
        content: UserInput,
        /// Ignored.
        #[serde(rename = "metadata")]
        _metadata: Option<Map<String, Value>>,
    },
    Payload {
        content: Map<String, Value>,
        /// Ignored.
        #[serde(rename = "metadata")]
        _metadata: Option<Map<String, Value>>,
    },
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct UserInput {
    text: Said,
}

impl From<Message> for ExecutionInput {
    fn from(message: Message) -> Self {
        match message {
            Message::Text(said) => Self::UserInput { text: said.0 },
            Message::Structured(StructuredMessage::UserInput { content, .. }) => {
                Self::UserInput { text: content.text.0 }
            }
            Message::Structured(StructuredMessage::Payload { content, .. }) => Self::Payload { value: content.into() },
        }
    }
}
