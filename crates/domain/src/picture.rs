//! Pictures that a model is shown (docs/decisions/0031-pictures-for-models.md). History names a picture
//! by its message; its bytes join a request when it is sent.

use crate::ids::MessageId;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// Tokens that a picture is counted as: the most that Anthropic bills for one
/// (https://docs.anthropic.com/en/docs/build-with-claude/vision). OpenAI and Gemini bill less for
/// most.
pub const PICTURE_TOKENS: u32 = 1_600;

/// Identifies the bytes of a picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureSource {
    /// The message that it came with.
    pub message_id: MessageId,
    /// From its first bytes, for example `image/jpeg`.
    pub mime_type: String,
    /// In bytes.
    pub size: i64,
    /// In hex.
    pub sha256: String,
}

impl PictureSource {
    /// Stands for the bytes where a request is shown to people.
    pub fn marker(&self) -> String {
        let Self { message_id, mime_type, size, sha256 } = self;
        format!("[picture of message {message_id}: {mime_type}, {size} bytes, SHA-256 {sha256}]")
    }
}

/// A picture of a request.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    pub source: PictureSource,
    /// Base64.
    pub data: Arc<str>,
}

impl Picture {
    pub fn new(source: PictureSource, bytes: &[u8]) -> Self {
        Self { source, data: STANDARD.encode(bytes).into() }
    }

    /// A picture of a request that is only shown to people.
    pub fn marked(source: PictureSource) -> Self {
        Self { data: source.marker().into(), source }
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source.marker())
    }
}
