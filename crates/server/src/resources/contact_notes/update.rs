//! `PATCH /whatsapp_contacts/{identifier}/notes/{note_id}`

use super::view::{self, ContactNote, WhatsappContactNote};
use crate::{
    ApiError,
    api::{Data, Problems, RequestBody, body, three_state},
    auth::ProjectContext,
    change::{Changed, change},
    found::Found,
    resources::contacts,
};
use axum::extract::Request;
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

/// Omitted fields stay unchanged.
#[derive(Deserialize, ToSchema)]
struct WhatsappContactNoteChange {
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<String>, max_length = 120)]
    name: Option<Option<String>>,
    #[schema(min_length = 1, max_length = 16000, pattern = r"\S", nullable = false)]
    content: Option<String>,
    /// Replaces the metadata; null clears it. At most 16 KiB. With `private: true` the note is
    /// hidden from agents.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<Map<String, Value>>)]
    metadata: Option<Option<Map<String, Value>>>,
}

/// Update a note
///
/// Omitted fields stay unchanged.
#[utoipa::path(
    patch, path = "/whatsapp_contacts/{identifier}/notes/{note_id}", operation_id = "update_whatsapp_contact_note",
    tag = "WhatsApp Contact Notes", request_body = WhatsappContactNoteUpdateRequest,
    params(
        ("identifier" = String, description = "Contact id, or the contact's phone number."),
        ("note_id", description = "Note id."),
    ),
    responses(
        (status = 200, description = "The note.", body = Data<WhatsappContactNote>),
        (status = 422, description = "Details: `too_large`"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(ContactNote { contact, note }): Found<ContactNote>,
    request: Request,
) -> Result<Changed<Data<WhatsappContactNote>>, ApiError> {
    let project = ctx.project;
    let sent = body::read::<WhatsappContactNoteUpdateRequest>(request).await?.note;
    change!(ctx, "whatsapp_contact_note.update", tx => {
        let mut row = contact_notes::lock(tx, project, contact, note.id).await?.ok_or(ApiError::NotFound("Note"))?;
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
        view::append_event(&ctx, tx, row.id, contact, "updated").await?;
        Ok(Data { data: WhatsappContactNote::of(&row)? })
    })
}
