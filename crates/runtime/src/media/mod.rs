//! Media of inbound messages: the state that is stored with each message.
//!
//! WhatsApp serves a file for seven days, and only with the number's token. So each is downloaded
//! at once (`jobs/media_download.rs`) and stored in pieces in the database ([decision
//! 8](../../../../docs/decisions/0008-inbound-media-stored-in-the-database.md)); clients read it by
//! a link.

pub mod link;
pub mod uploads;

use crate::{context::PLATFORM_PROJECT, json::to_json};
use domain::{
    Timestamp,
    ids::{MessageId, ProjectId},
    job::JobKind,
};
use gateways::whatsapp::webhook::InboundMessage;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{
    Result, Tx,
    jobs::{self, NewJob},
    messages::{self, MessageRow},
};
use uuid::Uuid;

/// Kinds of messages that carry a file.
const KINDS: [&str; 5] = ["image", "video", "audio", "document", "sticker"];

/// State of a message's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Media {
    /// Being downloaded, or waiting for another attempt.
    Waiting,
    #[serde(rename = "kept")]
    Stored(StoredFile),
    /// It cannot be downloaded.
    Lost { code: String, message: String },
}

/// A stored file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    /// Identifies its pieces.
    pub upload: Uuid,
    /// In bytes.
    pub size: i64,
    /// The type that it is served with.
    pub mime_type: String,
    /// A browser may display it.
    pub inline: bool,
    /// In hex.
    pub sha256: String,
}

/// True for a kind of message that carries a file.
pub(crate) fn is_media(kind: &str) -> bool {
    KINDS.contains(&kind)
}

impl Media {
    pub fn unavailable(code: &str, message: impl Into<String>) -> Self {
        Self::Lost { code: code.into(), message: message.into() }
    }

    /// `None` for a message without a file.
    pub fn of(row: &MessageRow) -> Option<Self> {
        serde_json::from_str(row.media.as_deref()?).ok()
    }
}

/// Records that a message has a file and queues its download, in the transaction that stores the
/// message.
pub async fn expect(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: MessageId,
    message: &InboundMessage,
    now: Timestamp,
) -> Result<()> {
    // Media from senders without a session is never read.
    if !is_media(&message.kind) || project == PLATFORM_PROJECT {
        return Ok(());
    }
    let media = match (media_id(&message.raw, &message.kind), failure(&message.raw)) {
        (_, Some(why)) => Media::unavailable("media_unavailable", why),
        (Some(_), None) => Media::Waiting,
        (None, None) => return Ok(()),
    };
    if media == Media::Waiting {
        let key = id.to_string();
        let job = NewJob { id: id.uuid(), kind: JobKind::MediaFetch, key: &key, payload: &key, run_at: now };
        jobs::put(&mut tx.scope(project, now), job).await?;
    }
    record(tx, project, id, &media, now).await.map(drop)
}

/// Records the state of a message's file. Returns false if our copy of the message was deleted.
pub async fn record(tx: &mut Tx<'_>, project: ProjectId, id: MessageId, media: &Media, now: Timestamp) -> Result<bool> {
    messages::note_media(tx, project, id, &to_json("media", media)?, now).await
}

/// Deletes the file of a message.
pub(crate) async fn delete_file(tx: &mut Tx<'_>, project: ProjectId, row: &MessageRow) -> Result<()> {
    match Media::of(row) {
        Some(Media::Stored(kept)) => store::uploads::delete(tx, project, kept.upload).await,
        _ => Ok(()),
    }
}

/// Deletes our copy of a message, and its file.
pub async fn delete_with_message(tx: &mut Tx<'_>, project: ProjectId, id: MessageId) -> Result<()> {
    let stored = messages::delete(tx, project, id).await?;
    match stored.and_then(|media| serde_json::from_str(&media).ok()) {
        Some(Media::Stored(kept)) => store::uploads::delete(tx, project, kept.upload).await,
        _ => Ok(()),
    }
}

/// WhatsApp's id of the file.
pub fn media_id(raw: &Value, kind: &str) -> Option<String> {
    raw.get(kind)?.get("id")?.as_str().filter(|id| !id.is_empty()).map(str::to_owned)
}

/// The error that WhatsApp reports instead of a file (131052).
fn failure(raw: &Value) -> Option<String> {
    let error = raw.get("errors")?.as_array()?.first()?;
    let text = |path: &str| error.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let why = text("/error_data/details").or_else(|| text("/message")).or_else(|| text("/title"));
    Some(why.unwrap_or_else(|| "WhatsApp does not have the file".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_file_is_read_by_its_stored_word() {
        let file = StoredFile {
            upload: Uuid::nil(),
            size: 1,
            mime_type: "image/png".into(),
            inline: true,
            sha256: String::new(),
        };
        let json = serde_json::to_value(Media::Stored(file.clone())).unwrap();
        assert_eq!(json, serde_json::json!({ "kept": file }));
    }
}
