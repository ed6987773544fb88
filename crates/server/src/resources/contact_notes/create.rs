//! `POST /whatsapp_contacts/{identifier}/notes`

use super::view::WhatsappContactNote;
use crate::{
    ApiError,
    api::{Changed, Created, Data, Problems, RequestBody, body, change},
    auth::ProjectContext,
    resources::contacts,
};
use axum::extract::{Path, Request};
use serde::Deserialize;
use serde_json::{Map, Value};
use store::contact_notes::{self, ContactNoteRow};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct WhatsappContactNoteCreateRequest {
    note: NewWhatsappContactNote,
}

impl RequestBody for WhatsappContactNoteCreateRequest {
    const WRAPPER: &'static [&'static str] = &["note"];

    fn check(body: &Value, problems: &mut Problems) {
        contacts::check_metadata(body, "/note/metadata", problems);
    }
}

#[derive(Deserialize, ToSchema)]
struct NewWhatsappContactNote {
    #[schema(max_length = 120)]
    name: Option<String>,
    #[schema(min_length = 1, max_length = 16000, pattern = r"\S")]
    content: String,
    /// At most 16 KiB. With `private: true` agents are not told of the note.
    metadata: Option<Map<String, Value>>,
}

/// Add a note to a contact
#[utoipa::path(
    post, path = "/whatsapp_contacts/{identifier}/notes", operation_id = "create_whatsapp_contact_note",
    tag = "WhatsApp Contact Notes", request_body = WhatsappContactNoteCreateRequest,
    params(("identifier", description = "Contact id, or the contact's phone number.")),
    responses(
        (status = 201, description = "The note.", body = Data<WhatsappContactNote>),
        (status = 422, description = "Details: `too_large`"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(identifier): Path<String>,
    request: Request,
) -> Result<Changed<Created<WhatsappContactNote>>, ApiError> {
    let project = ctx.project;
    let contact = {
        let mut reader = ctx.store.read().await?;
        contacts::find(&mut reader.conn(), project, &identifier, "Contact").await?.id
    };
    let new = body::read::<WhatsappContactNoteCreateRequest>(request).await?.note;
    let now = ctx.now();
    let row = ContactNoteRow {
        id: ctx.new_id(),
        name: new.name,
        content: new.content,
        metadata: Value::Object(new.metadata.unwrap_or_default()).to_string(),
        created_at: now,
        updated_at: now,
    };
    change!(ctx, "whatsapp_contact_note.create", tx => {
        contact_notes::insert(tx, project, contact, &row).await?;
        Ok(Created(WhatsappContactNote::of(&row)?))
    })
}
