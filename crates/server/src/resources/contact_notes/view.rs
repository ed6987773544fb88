//! How a note is shown.

use crate::{api::Time, resources::contacts::parse_metadata};
use serde::Serialize;
use serde_json::{Map, Value};
use store::{Error, contact_notes::ContactNoteRow};
use utoipa::ToSchema;
use uuid::Uuid;

/// What somebody noted about a contact.
#[derive(Serialize, ToSchema)]
pub(super) struct WhatsappContactNote {
    id: Uuid,
    name: Option<String>,
    content: String,
    metadata: Map<String, Value>,
    created_at: Time,
    updated_at: Time,
}

impl WhatsappContactNote {
    pub(super) fn of(row: &ContactNoteRow) -> Result<Self, Error> {
        Ok(Self {
            id: row.id.uuid(),
            name: row.name.clone(),
            content: row.content.clone(),
            metadata: parse_metadata(&row.metadata)?,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        })
    }
}
