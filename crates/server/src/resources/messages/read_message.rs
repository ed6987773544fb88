//! Reads a message from a request: JSON, or a form with its file.

use super::outgoing::{self, Draft, OutgoingMessage};
use crate::{
    ApiError,
    api::{
        Problems, RequestBody, body,
        form::{self, Fields, Form},
    },
    auth::ProjectContext,
    change::Changed,
};
use axum::{body::Body, extract::Request, http::request::Parts};
use domain::{Problem, file};
use runtime::{
    media::uploads::{self, Received, Receiving},
    outbox::PendingUpload,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

/// Maximum bytes of a form besides its file.
const FIELDS: usize = 1 << 20;
/// Lists and objects of a message, which a form may contain as JSON.
const STRUCTURED: [&str; 5] = ["buttons", "sections", "contacts", "template_params", "outside_window_template"];
const NUMBERS: [&str; 2] = ["latitude", "longitude"];

#[derive(Deserialize, ToSchema)]
pub(super) struct WhatsappMessageCreateRequest {
    message: OutgoingMessage,
}

impl RequestBody for WhatsappMessageCreateRequest {
    const WRAPPER: &'static [&'static str] = &["message", "whatsapp_message"];

    fn check(body: &Value, problems: &mut Problems) {
        OutgoingMessage::check(body, problems);
    }
}

/// A valid message before the database is consulted.
pub(super) struct ReadMessage {
    pub(super) message: OutgoingMessage,
    pub(super) draft: Draft,
    pub(super) file: Option<PendingUpload>,
}

impl ReadMessage {
    /// Discards the file unless this request stored the message. If the result of the transaction
    /// is unknown, a job deletes the file later unless a message uses it.
    pub(super) async fn discard_unless_sent<A>(&self, ctx: &ProjectContext, changed: &Result<Changed<A>, ApiError>) {
        let sent = matches!(changed, Ok(Changed::Now(_)) | Err(ApiError::Store(_)));
        if let Some(file) = self.file.as_ref().filter(|_| !sent) {
            uploads::discard(ctx, ctx.project, file.upload).await;
        }
    }
}

/// A file of a form with its metadata.
struct Attached {
    received: Received,
    filename: Option<String>,
    content_type: Option<String>,
}

/// Reads and checks the message. Discards the file of a refused message.
pub(super) async fn read_message(ctx: &ProjectContext, request: Request) -> Result<ReadMessage, ApiError> {
    let (parts, body) = request.into_parts();
    if !form::is_form(&parts) {
        let message = body::read::<WhatsappMessageCreateRequest>(Request::from_parts(parts, body)).await?.message;
        if message.media_file.as_deref().is_some_and(|given| !given.is_empty()) {
            let why = "a file comes in a multipart/form-data body; or give media_url or media_id";
            return Err(ApiError::invalid("/message/media_file", "not_a_file", why));
        }
        let draft = message.draft().map_err(under_message)?;
        return Ok(ReadMessage { message, draft, file: None });
    }
    let mut upload = None;
    let incoming = read_form(ctx, &parts, body, &mut upload).await;
    let kept = incoming.as_ref().is_ok_and(|incoming| incoming.file.is_some());
    if let Some(upload) = upload.filter(|_| !kept) {
        uploads::discard(ctx, ctx.project, upload).await;
    }
    incoming
}

fn under_message(problems: Vec<Problem>) -> ApiError {
    ApiError::Invalid(problems.into_iter().map(|problem| problem.under("/message")).collect())
}

async fn read_form(
    ctx: &ProjectContext,
    parts: &Parts,
    body: Body,
    upload: &mut Option<Uuid>,
) -> Result<ReadMessage, ApiError> {
    let mut form = Form::open(parts, body, file::LARGEST + FIELDS)?;
    let (mut fields, mut attached) = (Fields::default(), None);
    while let Some(head) = form.next().await? {
        let (wrapper, field) = head.name.split_once('[').unwrap_or((&head.name, ""));
        let name = match wrapper {
            "whatsapp_message" => head.name.replacen(wrapper, "message", 1),
            _ => head.name.clone(),
        };
        if field == "media_file]" || name == "media_file" {
            if attached.is_some() {
                return Err(ApiError::Malformed("a message takes one file".into()));
            }
            {
                let mut reader = ctx.store.read().await?;
                ctx.http().projects.allow_stored(&mut reader.conn(), ctx.project, 0).await?;
            }
            let mut receiving = Receiving::new(ctx, ctx.project);
            *upload = Some(receiving.id());
            while let Some(piece) = form.piece().await? {
                if !receiving.write(&piece).await? {
                    return Err(ApiError::TooLarge(file::LARGEST));
                }
            }
            let received = receiving.finish().await?;
            attached = Some(Attached { received, filename: head.filename, content_type: head.content_type });
            continue;
        }
        let text = form.text().await?;
        match field.trim_end_matches(']') {
            // The whole message as JSON next to its file.
            "" if name == "message" => {
                if let Value::Object(message) = form::json_or_text(text)? {
                    for (key, value) in message {
                        fields.put(&format!("message[{key}]"), value)?;
                    }
                }
            }
            field if STRUCTURED.contains(&field) => fields.put(&name, form::json_or_text(text)?)?,
            field if NUMBERS.contains(&field) => {
                let number = text.trim().parse::<f64>().ok().and_then(serde_json::Number::from_f64);
                fields.put(&name, number.map_or(Value::String(text), Value::Number))?;
            }
            _ => fields.put(&name, Value::String(text))?,
        }
    }
    of_form(ctx, fields.into_json(), attached)
}

fn of_form(
    ctx: &ProjectContext,
    fields: Map<String, Value>,
    attached: Option<Attached>,
) -> Result<ReadMessage, ApiError> {
    let mut message = match fields.get("message") {
        Some(Value::Object(message)) => message.clone(),
        _ => Map::new(),
    };
    // A form's boundary changes, so the request is identified by its fields and file.
    let mut digest = Sha256::new();
    digest.update(Value::Object(fields).to_string());
    if let Some(file) = &attached {
        let named = Value::from([file.filename.clone(), file.content_type.clone()].map(Value::from).to_vec());
        digest.update(named.to_string());
        digest.update(file.received.sha256);
        message.insert("media_file".into(), Value::from(file.filename.clone().unwrap_or_else(|| "file".into())));
    }
    let _ = ctx.facts.body_hash.set(digest.finalize().into());
    let message = body::checked::<WhatsappMessageCreateRequest>(outgoing::wrapped(message))?.message;
    let draft = message.draft().map_err(under_message)?;
    let (Draft::File { kind, caption }, Some(attached)) = (&draft, &attached) else {
        return Ok(ReadMessage { message, draft, file: None });
    };
    let Attached { received, filename, content_type } = attached;
    let mime_type = file::mime_type(*kind, &received.first, content_type.as_deref());
    if let Some(problem) = outgoing::file_problem(*kind, received.size, mime_type) {
        return Err(ApiError::Invalid(vec![problem]));
    }
    let named = message.filename.clone().or_else(|| filename.clone()).filter(|name| !name.trim().is_empty());
    let file = PendingUpload {
        upload: received.id,
        size: i64::try_from(received.size).unwrap_or(i64::MAX),
        mime_type: mime_type.unwrap_or("application/octet-stream").into(),
        filename: named.unwrap_or_else(|| kind.as_str().to_owned()),
        kind: *kind,
        caption: caption.clone(),
    };
    Ok(ReadMessage { message, draft, file: Some(file) })
}
