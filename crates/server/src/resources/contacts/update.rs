//! `PATCH /whatsapp_contacts/{identifier}`

use super::view::{self, WhatsappContact};
use crate::{
    ApiError,
    api::{Data, Problems, RequestBody, body, three_state},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::extract::Request;
use domain::event::Event;
use runtime::events;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::contacts;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct WhatsappContactUpdateRequest {
    contact: WhatsappContactChange,
}

impl RequestBody for WhatsappContactUpdateRequest {
    const WRAPPER: &'static [&'static str] = &["contact"];

    fn check(body: &Value, problems: &mut Problems) {
        view::check_metadata(body, "/contact/metadata", problems);
    }
}

/// Omitted fields stay unchanged.
#[derive(Deserialize, ToSchema)]
struct WhatsappContactChange {
    /// Null removes it until the contact writes again.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<String>, max_length = 255)]
    profile_name: Option<Option<String>>,
    /// Replaces the metadata; null clears it. At most 16 KiB, included in prompts. `time_zone`,
    /// e.g. `America/Bogota`, sets the contact's local time.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<Map<String, Value>>)]
    metadata: Option<Option<Map<String, Value>>>,
}

/// Update profile name or metadata
///
/// Omitted fields stay unchanged. `metadata` is replaced as a whole, and agents see it.
#[utoipa::path(
    patch, path = "/whatsapp_contacts/{identifier}", operation_id = "update_whatsapp_contact", tag = "WhatsApp Contacts",
    request_body = WhatsappContactUpdateRequest,
    params(("identifier" = String, description = "Contact id, or the contact's phone number.")),
    responses(
        (status = 200, description = "The contact.", body = Data<WhatsappContact>),
        (status = 422, description = "Details: `too_large`"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(contact): Found<contacts::ContactRow>,
    request: Request,
) -> Result<Changed<Data<WhatsappContact>>, ApiError> {
    let project = ctx.project;
    let sent = body::read::<WhatsappContactUpdateRequest>(request).await?.contact;
    change!(ctx, "whatsapp_contact.update", tx => {
        let mut row = contacts::lock(tx, project, contact.id).await?.found()?;
        if let Some(name) = &sent.profile_name {
            row.profile_name.clone_from(name);
        }
        if let Some(metadata) = &sent.metadata {
            row.metadata = Value::Object(metadata.clone().unwrap_or_default()).to_string();
        }
        row.updated_at = ctx.now();
        contacts::update(tx, project, &row).await?;
        events::append(&ctx, tx, project, Event::ContactUpdated, row.id.uuid(), &json!({})).await?;
        Ok(Data { data: WhatsappContact::of(&row)? })
    })
}
