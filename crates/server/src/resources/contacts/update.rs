//! `PATCH /whatsapp_contacts/{identifier}`

use super::view::{self, WhatsappContact};
use crate::{
    ApiError,
    api::{Changed, Data, Problems, RequestBody, body, change, three_state},
    auth::ProjectContext,
};
use axum::extract::{Path, Request};
use serde::Deserialize;
use serde_json::{Map, Value};
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

/// What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
struct WhatsappContactChange {
    /// Null takes it away until the person writes again.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<String>, max_length = 255)]
    profile_name: Option<Option<String>>,
    /// Replaces the whole; null empties it. At most 16 KiB. Agents are told; `time_zone`, e.g. `America/Bogota`, is the time they go by.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<Map<String, Value>>)]
    metadata: Option<Option<Map<String, Value>>>,
}

/// Change profile name or metadata
#[utoipa::path(
    patch, path = "/whatsapp_contacts/{identifier}", operation_id = "update_whatsapp_contact", tag = "WhatsApp Contacts",
    request_body = WhatsappContactUpdateRequest,
    params(("identifier", description = "Contact id, or the contact's phone number.")),
    responses(
        (status = 200, description = "The contact.", body = Data<WhatsappContact>),
        (status = 422, description = "Details: `too_large`"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(identifier): Path<String>,
    request: Request,
) -> Result<Changed<Data<WhatsappContact>>, ApiError> {
    let project = ctx.project;
    let id = {
        let mut reader = ctx.store.read().await?;
        view::find(&mut reader.conn(), project, &identifier, "Contact").await?.id
    };
    let sent = body::read::<WhatsappContactUpdateRequest>(request).await?.contact;
    change!(ctx, "whatsapp_contact.update", tx => {
        let mut row = contacts::lock(tx, project, id).await?.ok_or(ApiError::NotFound("Contact"))?;
        if let Some(name) = &sent.profile_name {
            row.profile_name.clone_from(name);
        }
        if let Some(metadata) = &sent.metadata {
            row.metadata = Value::Object(metadata.clone().unwrap_or_default()).to_string();
        }
        row.updated_at = ctx.now();
        contacts::update(tx, project, &row).await?;
        Ok(Data { data: WhatsappContact::of(&row)? })
    })
}
