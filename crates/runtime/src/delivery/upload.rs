//! Gives WhatsApp the file of a message before the message itself.
//!
//! The id that it answers is committed to the outbox row before the message is sent: a repeated send does not upload again,
//! and an upload that is repeated after a crash only leaves a file at WhatsApp that no message names.

use super::attempt::End;
use crate::{
    Context, failpoint,
    json::to_json,
    outbox::{Parcel, Payload, WaitingFile},
};
use bytes::{Bytes, BytesMut};
use domain::ids::ProjectId;
use gateways::whatsapp::{CallError, Content, ErrorClass, media::Upload};
use secrecy::SecretString;
use store::{Result, messages, outbox, outbox::OutboxRow, transact, uploads};

/// The message with the id that WhatsApp gave its file, or why it cannot be sent.
pub(super) async fn upload(
    ctx: &Context,
    project: ProjectId,
    row: &OutboxRow,
    token: &SecretString,
    payload: &Payload,
    file: &WaitingFile,
) -> Result<std::result::Result<Content, End>> {
    // A file is in memory while it is sent, so only a few are at once.
    let Ok(_room) = ctx.uploads.acquire().await else { return Ok(Err(End::later(row, "shutting down".into()))) };
    let Some(bytes) = read(ctx, project, file).await? else {
        let message = "the file is not there any more".into();
        return Ok(Err(End::Refused { code: "send_failed", message }));
    };
    let upload = Upload { mime_type: file.mime_type.clone(), filename: file.filename.clone(), bytes };
    failpoint::reach("upload.open");
    let id = match ctx.graph.upload_media(&row.phone_number_id, token, &upload).await {
        Ok(id) => id,
        Err(error) => return Ok(Err(end(row, error))),
    };
    failpoint::reach("upload.answered");
    let content = file.uploaded(id);
    let parcel = Parcel::Ready { ready: content.clone() };
    let raw = parcel.raw_with_type(&file.mime_type);
    let payload = Payload { wa_id: payload.wa_id.clone(), user_id: payload.user_id.clone(), content: parcel };
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

async fn read(ctx: &Context, project: ProjectId, file: &WaitingFile) -> Result<Option<Bytes>> {
    let size = usize::try_from(file.size).unwrap_or_default();
    let mut bytes = BytesMut::with_capacity(size);
    for seq in 0.. {
        let mut reader = ctx.store.read().await?;
        let Some(piece) = uploads::piece(&mut reader.conn(), project, file.upload, seq).await? else { break };
        bytes.extend_from_slice(&piece);
    }
    Ok((bytes.len() == size).then(|| bytes.freeze()))
}

/// A file that arrived twice does no harm, so what is unclear is simply tried again.
fn end(row: &OutboxRow, error: CallError) -> End {
    match error {
        CallError::Refused { class: ErrorClass::Throttle | ErrorClass::Server, message, retry_after_ms, .. } => {
            match retry_after_ms {
                Some(ms) => End::Later { after: domain::Span::from_millis(ms), message },
                None => End::later(row, message),
            }
        }
        CallError::Refused { class: ErrorClass::Auth, message, .. } => End::Refused { code: "channel_auth", message },
        CallError::Refused { message, .. } => End::Refused { code: "send_failed", message },
        CallError::NotSent { message } | CallError::Unknown { message } => End::later(row, message),
    }
}
