//! `PATCH /whatsapp_contacts/{identifier}/notes/{note_id}`

use super::view::WhatsappContactNote;
use crate::{
    ApiError,
    api::{Changed, Data, Problems, RequestBody, body, change, three_state},
    auth::{ProjectContext, path_id},
    resources::contacts,
};
use axum::extract::{Path, Request};
use serde::Deserialize;
use serde_json::{Map, Value};
use store::contact_notes;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct WhatsappContactNoteUpdateRequest {
    note: WhatsappContactNoteChange,
}

impl RequestBody for WhatsappContactNoteUpdateRequest {
    const WRAPPER: &'static [&'static str] = &["note"];

    fn check(body: &Value, problems: &mut Problems) {
        contacts::check_metadata(body, "/note/metadata", problems);
    }
}

/// What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
struct WhatsappContactNoteChange {
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<String>, max_length = 120)]
    name: Option<Option<String>>,
    #[schema(min_length = 1, max_length = 16000, pattern = r"\S", nullable = false)]
    content: Option<String>,
    /// Replaces the whole; null empties it. At most 16 KiB. With `private: true` agents are not told of the note.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<Map<String, Value>>)]
    metadata: Option<Option<Map<String, Value>>>,
}

/// Change a note
#[utoipa::path(
    patch, path = "/whatsapp_contacts/{identifier}/notes/{note_id}", operation_id = "update_whatsapp_contact_note",
    tag = "WhatsApp Contact Notes", request_body = WhatsappContactNoteUpdateRequest,
    params(
        ("identifier", description = "Contact id, or the contact's phone number."),
        ("note_id", description = "Note id."),
    ),
    responses(
        (status = 200, description = "The note.", body = Data<WhatsappContactNote>),
        (status = 422, description = "Details: `too_large`"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path((identifier, note_id)): Path<(String, String)>,
    request: Request,
) -> Result<Changed<Data<WhatsappContactNote>>, ApiError> {
    let project = ctx.project;
    let (contact, id) = {
        let mut reader = ctx.store.read().await?;
        let mut conn = reader.conn();
        let contact = contacts::find(&mut conn, project, &identifier, "Note").await?.id;
        let note = contact_notes::find(&mut conn, project, contact, path_id(&note_id, "Note")?).await?;
        (contact, note.ok_or(ApiError::NotFound("Note"))?.id)
    };
    let sent = body::read::<WhatsappContactNoteUpdateRequest>(request).await?.note;
    change!(ctx, "whatsapp_contact_note.update", tx => {
        let mut row = contact_notes::lock(tx, project, contact, id).await?.ok_or(ApiError::NotFound("Note"))?;
        if let Some(name) = &sent.name {
            row.name.clone_from(name);
        }
        if let Some(content) = &sent.content {
            row.content.clone_from(content);
        }
        if let Some(metadata) = &sent.metadata {
            row.metadata = Value::Object(metadata.clone().unwrap_or_default()).to_string();
        }
        row.updated_at = ctx.now();
        contact_notes::update(tx, project, contact, &row).await?;
        Ok(Data { data: WhatsappContactNote::of(&row)? })
    })
}
