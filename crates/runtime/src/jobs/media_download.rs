//! Downloads a file of an inbound message from WhatsApp and records the result with the message.
//!
//! The bytes are stored in pieces while they arrive, and a job deletes them unless the complete
//! file is recorded. So after a crash the file is downloaded again.

use super::retry::{backoff, postpone};
use crate::{
    Context, failpoint,
    media::{
        self, Media, StoredFile,
        uploads::{self, Received, Receiving},
    },
    senders::access_token,
};
use domain::{
    Span, Timestamp,
    event::Event,
    file,
    ids::{MessageId, ProjectId},
};
use gateways::whatsapp::{
    CallError, ErrorClass,
    media::{MediaError, MediaInfo},
};
use serde_json::{Value, json};
use store::{Error, Result, conversations, events, jobs, jobs::JobRow, messages, transact};

/// WhatsApp serves a file for this long.
const KEPT_BY_META: Span = Span::from_hours(7 * 24);
/// Meta blocks numbers that repeat refused requests.
const MAX_REFUSALS: i64 = 3;
/// Downloads whose bytes do not match the announced hash.
const MAX_ALTERED: i64 = 5;

/// A file to download.
struct FileToDownload {
    message: MessageId,
    kind: String,
    media_id: String,
    phone_number_id: String,
    since: Timestamp,
}

pub(super) async fn run(ctx: &Context, project: ProjectId, job: &JobRow) -> Result<()> {
    let id = job.payload.parse().map_err(|_| Error::Damaged { what: "job", why: "not a message id".into() })?;
    let Some(wanted) = wanted(ctx, project, id).await? else {
        return transact!(ctx.store, "media.needless", tx => jobs::finish(tx, project, job).await);
    };
    let media = match fetch(ctx, project, &wanted).await? {
        Ok((info, received)) => {
            let (mime_type, inline) = file::given_out(&wanted.kind, &received.first, Some(&info.mime_type));
            let sha256 = received.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
            let size = i64::try_from(received.size).unwrap_or(i64::MAX);
            Media::Stored(StoredFile { upload: received.id, size, mime_type: mime_type.into(), inline, sha256 })
        }
        Err(error) => match verdict(&error, job.attempt, ctx.now() - wanted.since) {
            Verdict::Later(wait) => return postpone(ctx, project, job, wait, &error.to_string()).await,
            Verdict::GiveUp(code) => Media::unavailable(code, error.to_string()),
        },
    };
    settle(ctx, project, job, &wanted, &media).await
}

/// `None` if the message was deleted or its file is settled.
async fn wanted(ctx: &Context, project: ProjectId, id: MessageId) -> Result<Option<FileToDownload>> {
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let row = messages::find(&mut conn, project, id).await?;
    let Some(row) = row.filter(|row| Media::of(row) == Some(Media::Waiting)) else { return Ok(None) };
    let conversation = conversations::find(&mut conn, project, row.conversation_id).await?;
    let raw: Value = row.raw.as_deref().and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default();
    let (Some(media_id), Some(conversation)) = (media::media_id(&raw, &row.kind), conversation) else {
        return Ok(None);
    };
    let phone_number_id = conversation.phone_number_id;
    Ok(Some(FileToDownload { message: id, kind: row.kind, media_id, phone_number_id, since: row.created_at }))
}

/// Downloads the file. An incomplete file is discarded.
async fn fetch(
    ctx: &Context,
    project: ProjectId,
    wanted: &FileToDownload,
) -> Result<std::result::Result<(MediaInfo, Received), MediaError>> {
    let Some(token) = access_token(ctx, project, &wanted.phone_number_id).await? else {
        return Ok(Err(CallError::NotSent { message: "the number has no access token".into() }.into()));
    };
    failpoint::reach("media.ask");
    let asked = ctx.graph.fetch_media(&wanted.media_id, &wanted.phone_number_id, &token, file::LARGEST).await;
    let (info, mut download) = match asked {
        Ok(asked) => asked,
        Err(error) => return Ok(Err(error)),
    };
    let mut receiving = Receiving::new(ctx, project);
    let upload = receiving.id();
    loop {
        let failed = match download.next().await {
            Ok(Some(bytes)) if receiving.write(&bytes).await? => continue,
            Ok(Some(_)) => MediaError::TooLarge(file::LARGEST),
            Ok(None) => break,
            Err(error) => error,
        };
        uploads::discard(ctx, project, upload).await;
        return Ok(Err(failed));
    }
    let received = receiving.finish().await?;
    failpoint::reach("media.answered");
    Ok(Ok((info, received)))
}

async fn settle(ctx: &Context, project: ProjectId, job: &JobRow, wanted: &FileToDownload, media: &Media) -> Result<()> {
    transact!(ctx.store, "media.settle", tx => {
        let now = ctx.now();
        jobs::finish(tx, project, job).await?;
        if let Media::Stored(kept) = media {
            uploads::keep(tx, project, kept.upload, kept.size).await?;
        }
        if media::record(tx, project, wanted.message, media, now).await? {
            let state = if matches!(media, Media::Stored(_)) { "kept" } else { "lost" };
            let body = json!({"media": state}).to_string();
            let (id, object) = (ctx.new_uuid(), wanted.message.uuid());
            return events::append(&mut tx.scope(project, now), id, Event::MessageMedia, object, &body).await;
        }
        // Our copy of the message was deleted meanwhile.
        if let Media::Stored(kept) = media { store::uploads::delete(tx, project, kept.upload).await } else { Ok(()) }
    })?;
    failpoint::reach("media.committed");
    if let Media::Lost { code, .. } = media {
        metrics::counter!("chasqui_media_lost_total").increment(1);
        tracing::warn!(message = %wanted.message, code, "media of an inbound message cannot be downloaded");
    }
    Ok(())
}

/// Reaction to a failed download.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Later(Span),
    GiveUp(&'static str),
}

/// Temporary failures are retried for as long as WhatsApp serves the file; a missing file is given
/// up at once.
fn verdict(error: &MediaError, attempt: i64, age: Span) -> Verdict {
    let wait = match error {
        MediaError::TooLarge(_) => return Verdict::GiveUp("media_too_large"),
        MediaError::Altered if attempt >= MAX_ALTERED => return Verdict::GiveUp("media_altered"),
        MediaError::Altered => backoff(attempt, &CallError::Unknown { message: String::new() }),
        MediaError::Call(error) if error.is_missing_object() => return Verdict::GiveUp("media_unavailable"),
        MediaError::Call(CallError::Refused { code: Some(131_052), .. }) => {
            return Verdict::GiveUp("media_unavailable");
        }
        MediaError::Call(CallError::Refused {
            class: ErrorClass::Permanent | ErrorClass::Config | ErrorClass::Window,
            ..
        }) if attempt >= MAX_REFUSALS => return Verdict::GiveUp("media_refused"),
        MediaError::Call(error) => backoff(attempt, error),
    };
    if age >= KEPT_BY_META { Verdict::GiveUp("media_unavailable") } else { Verdict::Later(wait) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(class: ErrorClass, code: Option<i64>, subcode: Option<i64>, http: u16) -> MediaError {
        CallError::Refused { class, code, subcode, http, message: "no".into(), retry_after_ms: None }.into()
    }

    #[test]
    fn temporary_failures_are_retried_and_missing_files_given_up() {
        let away = MediaError::Call(CallError::Unknown { message: "timed out".into() });
        let (soon, week) = (Span::from_secs(1), KEPT_BY_META);
        for (error, attempt, age, expected) in [
            (away.clone(), 1, soon, Verdict::Later(Span::from_secs(5))),
            (away.clone(), 300, soon, Verdict::Later(Span::from_secs(1_280))),
            (away, 300, week, Verdict::GiveUp("media_unavailable")),
            (refused(ErrorClass::Auth, Some(190), None, 401), 50, soon, Verdict::Later(Span::from_secs(1_280))),
            (refused(ErrorClass::Throttle, Some(4), None, 429), 1, soon, Verdict::Later(Span::from_secs(5))),
            (refused(ErrorClass::Permanent, Some(100), Some(33), 400), 1, soon, Verdict::GiveUp("media_unavailable")),
            (refused(ErrorClass::Permanent, None, None, 404), 1, soon, Verdict::GiveUp("media_unavailable")),
            (refused(ErrorClass::Permanent, Some(131_052), None, 400), 1, soon, Verdict::GiveUp("media_unavailable")),
            (refused(ErrorClass::Config, Some(10), None, 403), 2, soon, Verdict::Later(Span::from_secs(10))),
            (refused(ErrorClass::Config, Some(10), None, 403), 3, soon, Verdict::GiveUp("media_refused")),
            (MediaError::TooLarge(9), 1, soon, Verdict::GiveUp("media_too_large")),
            (MediaError::Altered, 4, soon, Verdict::Later(Span::from_secs(40))),
            (MediaError::Altered, 5, soon, Verdict::GiveUp("media_altered")),
        ] {
            assert_eq!(verdict(&error, attempt, age), expected, "{error:?} {attempt}");
        }
    }
}
