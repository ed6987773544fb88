//! Uploads the file of a message to WhatsApp before the message is sent.
//!
//! WhatsApp's id of the file is committed to the entry first: a repeated send does not upload
//! again, and an upload that is repeated after a crash only leaves an unused file at WhatsApp.

use super::decide::not_sent;
use crate::{
    Context, failpoint,
    json::to_json,
    outbox::{EntryContent, Payload, PendingUpload},
};
use bytes::{Bytes, BytesMut};
use domain::{Span, ids::ProjectId};
use gateways::whatsapp::{CallError, Content, ErrorClass, media::Upload};
use secrecy::SecretString;
use store::{
    Result, messages,
    outbox::{self, OutboxRow, Settlement},
    transact, uploads,
};

/// The message with WhatsApp's id of its file, or the settlement if it cannot be sent.
pub(super) async fn upload(
    ctx: &Context,
    project: ProjectId,
    row: &OutboxRow,
    token: &SecretString,
    payload: &Payload,
    file: &PendingUpload,
) -> Result<std::result::Result<Content, Settlement>> {
    // The whole file is in memory during the upload, so concurrency is limited.
    let Ok(_permit) = ctx.uploads.acquire().await else {
        return Ok(Err(not_sent(row, ctx.now(), None, "shutting down".into())));
    };
    let Some(bytes) = read(ctx, project, file).await? else {
        let message = "the uploaded file has expired".into();
        return Ok(Err(Settlement::Failed { code: "send_failed", message }));
    };
    let upload = Upload { mime_type: file.mime_type.clone(), filename: file.filename.clone(), bytes };
    failpoint::reach("upload.open");
    let id = match ctx.graph.upload_media(&row.phone_number_id, token, &upload).await {
        Ok(id) => id,
        Err(error) => return Ok(Err(settlement(ctx, row, error))),
    };
    failpoint::reach("upload.answered");
    let content = file.uploaded(id);
    let ready = EntryContent::Ready { ready: content.clone() };
    let raw = ready.raw_with_type(&file.mime_type);
    let payload = Payload { wa_id: payload.wa_id.clone(), user_id: payload.user_id.clone(), content: ready };
    let payload = to_json("payload", &payload)?;
    transact!(ctx.store, "outbox.uploaded", tx => {
        let now = ctx.now();
        outbox::repack(tx, project, row, &payload, now).await?;
        messages::show_as(tx, project, row.message_id, &raw, now).await?;
        uploads::delete(tx, project, file.upload).await
    })?;
    failpoint::reach("upload.committed");
    Ok(Ok(content))
}

async fn read(ctx: &Context, project: ProjectId, file: &PendingUpload) -> Result<Option<Bytes>> {
    let size = usize::try_from(file.size).unwrap_or_default();
    let mut bytes = BytesMut::with_capacity(size);
    for seq in 0.. {
        let mut reader = ctx.store.read().await?;
        let Some(piece) = uploads::piece(&mut reader.conn(), project, file.upload, seq).await? else { break };
        bytes.extend_from_slice(&piece);
    }
    Ok((bytes.len() == size).then(|| bytes.freeze()))
}

/// A repeated upload is harmless, so an unknown result is retried.
fn settlement(ctx: &Context, row: &OutboxRow, error: CallError) -> Settlement {
    match error {
        CallError::Refused { class: ErrorClass::Throttle | ErrorClass::Server, message, retry_after_ms, .. } => {
            not_sent(row, ctx.now(), retry_after_ms.map(Span::from_millis), message)
        }
        CallError::Refused { class: ErrorClass::Auth, message, .. } => {
            Settlement::Failed { code: "channel_auth", message }
        }
        CallError::Refused { message, .. } => Settlement::Failed { code: "send_failed", message },
        CallError::NotSent { message } | CallError::Unknown { message } => not_sent(row, ctx.now(), None, message),
    }
}
