//! `POST /whatsapp_contacts/{identifier}/notes`

use super::view::{self, WhatsappContactNote};
use crate::{
    ApiError,
    api::{Created, Data, Problems, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
    found::Found,
    resources::contacts,
};
use axum::extract::Request;
use serde::Deserialize;
use serde_json::{Map, Value};
use store::{
    contact_notes::{self, ContactNoteRow},
    contacts::ContactRow,
};
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
    /// At most 16 KiB. With `private: true` the note is hidden from agents.
    metadata: Option<Map<String, Value>>,
}

/// Add a note to a contact
///
/// Agents see the notes that are not private, from the contact's next message on.
#[utoipa::path(
    post, path = "/whatsapp_contacts/{identifier}/notes", operation_id = "create_whatsapp_contact_note",
    tag = "WhatsApp Contact Notes", request_body = WhatsappContactNoteCreateRequest,
    params(("identifier" = String, description = "Contact id, or the contact's phone number.")),
    responses(
        (status = 201, description = "The note.", body = Data<WhatsappContactNote>),
        (status = 422, description = "Details: `too_large`"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(contact): Found<ContactRow>,
    request: Request,
) -> Result<Changed<Created<WhatsappContactNote>>, ApiError> {
    let project = ctx.project;
    let new = body::read::<WhatsappContactNoteCreateRequest>(request).await?.note;
    let now = ctx.now();
    let row = ContactNoteRow {
        id: ctx.new_id(),
        name: new.name,
        content: new.content,
        metadata: Value::Object(new.metadata.unwrap_or_default()).to_string(),
        author: Some(ctx.author()),
        created_at: now,
        updated_at: now,
    };
    change!(ctx, "whatsapp_contact_note.create", tx => {
        contact_notes::insert(tx, project, contact.id, &row).await?;
        view::append_event(&ctx, tx, row.id, contact.id, "created").await?;
        Ok(Created(WhatsappContactNote::of(&row)?))
    })
}
