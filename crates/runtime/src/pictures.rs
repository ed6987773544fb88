//! Pictures of a contact for the model that answers: loaded when a request is sent (docs/decisions/0031-pictures-for-models.md).
//!
//! History names a picture by its message. Only a message of the contact in the same conversation and
//! project is read, so no entry reaches another file. A picture that is missing, lost or too large is
//! left out; its line of text remains.

use crate::{Context, jobs, media::Media, model_providers};
use domain::{
    Span,
    chat::{ChatMessage, ModelRequest},
    ids::{ConversationId, MessageId, ProjectId},
    message::Direction,
    picture::{Picture, PictureSource},
};
use gateways::llm::PictureLimits;
use std::time::Duration;
use store::{Result, messages, unscoped::DueRow, uploads};
use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;

/// Longest wait of a request for downloads.
const PATIENCE: Duration = Duration::from_secs(5);
/// Older messages are not waited for: their download has failed before.
const RECENT: Span = Span::from_secs(10);
/// Between two looks at a download of another worker.
const POLL: Duration = Duration::from_millis(100);
/// Pictures that are looked up for one request, newest first.
const LOOKED_UP: usize = 16;

/// A message's picture, as far as it is known.
enum Found {
    Stored(PictureSource, Uuid),
    /// Being downloaded.
    Waiting {
        recent: bool,
    },
    Missing,
}

/// Adds the pictures that a request names and its model can be shown.
pub async fn attach(
    ctx: &Context,
    project: ProjectId,
    conversation: ConversationId,
    request: &mut ModelRequest,
) -> Result<()> {
    let named = named(request);
    if named.is_empty() {
        return Ok(());
    }
    let Some(limits) = model_providers::picture_limits(ctx, project, &request.llm).await? else { return Ok(()) };
    let deadline = Instant::now() + PATIENCE;
    let mut room = Room { limits, count: 0, bytes: 0 };
    for id in named {
        let mut found = find(ctx, project, conversation, id).await?;
        if let Found::Waiting { recent: true } = found {
            found = downloaded(ctx, project, conversation, id, deadline).await?;
        }
        let Found::Stored(source, upload) = found else { continue };
        if !room.takes(&source) {
            continue;
        }
        if let Some(bytes) = load(ctx, project, upload, source.size).await? {
            room.take(&source);
            request.pictures.push(Picture::new(source, &bytes));
        }
    }
    Ok(())
}

/// As [`attach`], with markers in place of the bytes, for a request that is only shown.
pub async fn describe(
    ctx: &Context,
    project: ProjectId,
    conversation: ConversationId,
    request: &mut ModelRequest,
) -> Result<()> {
    let named = named(request);
    if named.is_empty() {
        return Ok(());
    }
    let Some(limits) = model_providers::picture_limits(ctx, project, &request.llm).await? else { return Ok(()) };
    let mut room = Room { limits, count: 0, bytes: 0 };
    for id in named {
        if let Found::Stored(source, _) = find(ctx, project, conversation, id).await?
            && room.takes(&source)
        {
            room.take(&source);
            request.pictures.push(Picture::marked(source));
        }
    }
    Ok(())
}

/// Bounds of a request's pictures, and the pictures counted so far.
struct Room {
    limits: PictureLimits,
    count: usize,
    bytes: i64,
}

impl Room {
    fn takes(&self, source: &PictureSource) -> bool {
        self.limits.takes(&source.mime_type, source.size, (self.count, self.bytes))
    }

    const fn take(&mut self, source: &PictureSource) {
        self.count += 1;
        self.bytes += source.size;
    }
}

/// Messages whose pictures the request names, newest first.
fn named(request: &ModelRequest) -> Vec<MessageId> {
    let mut named = Vec::new();
    for message in request.messages.iter().rev() {
        let ChatMessage::User { pictures, .. } = message else { continue };
        for id in pictures.iter().rev() {
            if !named.contains(id) && named.len() < LOOKED_UP {
                named.push(*id);
            }
        }
    }
    named
}

async fn find(ctx: &Context, project: ProjectId, conversation: ConversationId, id: MessageId) -> Result<Found> {
    let mut reader = ctx.store.read().await?;
    let row = messages::find(&mut reader.conn(), project, id).await?;
    let row = row.filter(|row| row.conversation_id == conversation && row.direction == Direction::Inbound);
    let Some(row) = row else { return Ok(Found::Missing) };
    Ok(match Media::of(&row) {
        Some(Media::Stored(file)) => {
            let source =
                PictureSource { message_id: id, mime_type: file.mime_type, size: file.size, sha256: file.sha256 };
            Found::Stored(source, file.upload)
        }
        Some(Media::Waiting) => Found::Waiting { recent: ctx.now() - row.created_at < RECENT },
        Some(Media::Lost { .. }) | None => Found::Missing,
    })
}

/// Downloads a picture at once, or waits for the worker that does. Until the deadline: the contact
/// waits for an answer.
async fn downloaded(
    ctx: &Context,
    project: ProjectId,
    conversation: ConversationId,
    id: MessageId,
    deadline: Instant,
) -> Result<Found> {
    // On a task of its own: if the turn is interrupted, the download continues.
    let (own, due) = (ctx.clone(), DueRow { project_id: project, id: id.uuid() });
    let attempt = tokio::spawn(async move { jobs::attempt(&own, due).await });
    match timeout_at(deadline, attempt).await {
        Ok(Ok(Ok(false))) => {}
        Ok(Ok(Ok(true))) => return find(ctx, project, conversation, id).await,
        // The job stays queued.
        Ok(Ok(Err(_)) | Err(_)) | Err(_) => return Ok(Found::Missing),
    }
    loop {
        let found = find(ctx, project, conversation, id).await?;
        if !matches!(found, Found::Waiting { .. }) || Instant::now() + POLL > deadline {
            return Ok(found);
        }
        sleep(POLL).await;
    }
}

/// `None` if the file was deleted meanwhile.
async fn load(ctx: &Context, project: ProjectId, upload: Uuid, size: i64) -> Result<Option<Vec<u8>>> {
    let size = usize::try_from(size).unwrap_or(0);
    let mut bytes = Vec::with_capacity(size);
    let mut reader = ctx.store.read().await?;
    let mut seq = 0;
    while let Some(piece) = uploads::piece(&mut reader.conn(), project, upload, seq).await? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > size {
            return Ok(None);
        }
        seq += 1;
    }
    Ok((bytes.len() == size).then_some(bytes))
}
