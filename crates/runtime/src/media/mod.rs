//! Files that people send: what is noted of each at its message, from its webhook to its end.
//!
//! WhatsApp gives a file out for seven days, and its bytes only to whoever has the number's token. So each is downloaded at
//! once (`jobs/media_fetch.rs`) and kept in the database, in pieces as those of the API are
//! ([decision 8](../../../../docs/decisions/0008-inbound-media-stored-in-the-database.md)); clients read it by a link.

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

const KINDS: [&str; 5] = ["image", "video", "audio", "document", "sticker"];

/// What became of a message's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Media {
    /// It is being downloaded, or will be tried again.
    Waiting,
    /// We have it.
    Kept(Kept),
    /// It will not come.
    Lost {
        /// For programs.
        code: String,
        /// For people.
        message: String,
    },
}

/// A file that we have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Names its pieces.
    pub upload: Uuid,
    /// In bytes.
    pub size: i64,
    /// As which it is given out.
    pub mime_type: String,
    /// Whether a browser may show it.
    pub inline: bool,
    /// In hex.
    pub sha256: String,
}

impl Media {
    pub fn lost(code: &str, message: impl Into<String>) -> Self {
        Self::Lost { code: code.into(), message: message.into() }
    }

    /// What is noted of a message's file; none of a message without one.
    pub fn of(row: &MessageRow) -> Option<Self> {
        serde_json::from_str(row.media.as_deref()?).ok()
    }
}

/// Notes that a message brought a file and that it is to be downloaded, in the transaction that stores the message. A message
/// without one costs nothing.
pub async fn expect(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: MessageId,
    message: &InboundMessage,
    now: Timestamp,
) -> Result<()> {
    // What strangers send to the sandbox is read by nobody.
    if !KINDS.contains(&message.kind.as_str()) || project == PLATFORM_PROJECT {
        return Ok(());
    }
    let media = match (media_id(&message.raw, &message.kind), failure(&message.raw)) {
        (_, Some(why)) => Media::lost("media_unavailable", why),
        (Some(_), None) => Media::Waiting,
        (None, None) => return Ok(()),
    };
    if media == Media::Waiting {
        let key = id.to_string();
        let job = NewJob { id: id.uuid(), kind: JobKind::MediaFetch, key: &key, payload: &key, run_at: now };
        jobs::put(&mut tx.scope(project, now), job).await?;
    }
    note(tx, project, id, &media, now).await.map(drop)
}

/// Notes what became of a message's file. `false`: our copy of the message was deleted.
pub async fn note(tx: &mut Tx<'_>, project: ProjectId, id: MessageId, media: &Media, now: Timestamp) -> Result<bool> {
    messages::note_media(tx, project, id, &to_json("media", media)?, now).await
}

/// Removes our copy of a message, and its file.
pub async fn delete_with_message(tx: &mut Tx<'_>, project: ProjectId, id: MessageId) -> Result<()> {
    let noted = messages::delete(tx, project, id).await?;
    match noted.and_then(|media| serde_json::from_str(&media).ok()) {
        Some(Media::Kept(kept)) => store::uploads::delete(tx, project, kept.upload).await,
        _ => Ok(()),
    }
}

/// WhatsApp's id of the file.
pub fn media_id(raw: &Value, kind: &str) -> Option<String> {
    raw.get(kind)?.get("id")?.as_str().filter(|id| !id.is_empty()).map(str::to_owned)
}

/// Why WhatsApp itself does not have it (131052).
fn failure(raw: &Value) -> Option<String> {
    let error = raw.get("errors")?.as_array()?.first()?;
    let text = |path: &str| error.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let why = text("/error_data/details").or_else(|| text("/message")).or_else(|| text("/title"));
    Some(why.unwrap_or_else(|| "WhatsApp does not have the file".into()))
}
