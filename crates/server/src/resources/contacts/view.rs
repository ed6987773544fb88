//! API representation of a contact, its identifier in paths, and metadata limits.

use crate::{
    ApiError,
    api::{Problems, Time},
    found::PathRow,
};
use domain::{
    ids::{CustomerId, ProjectId},
    phone,
};
use serde::Serialize;
use serde_json::{Map, Value};
use store::{
    Conn, Error,
    contacts::{self, ContactRow, Identity},
};
use utoipa::ToSchema;
use uuid::Uuid;

/// Maximum size of metadata in bytes of JSON.
const METADATA_BYTES: usize = 16 * 1024;

/// A contact on WhatsApp.
#[derive(Serialize, ToSchema)]
pub(super) struct WhatsappContact {
    id: Uuid,
    /// Digits of the number; null if the contact hides it.
    wa_id: Option<String>,
    profile_name: Option<String>,
    /// Customer to whom the contact belongs; null in the sandbox.
    customer_id: Option<Uuid>,
    metadata: Map<String, Value>,
    created_at: Time,
    updated_at: Time,
}

impl WhatsappContact {
    pub(super) fn of(row: &ContactRow) -> Result<Self, Error> {
        Ok(Self {
            id: row.id.uuid(),
            wa_id: row.wa_id.clone(),
            profile_name: row.profile_name.clone(),
            customer_id: row.customer_id.map(CustomerId::uuid),
            metadata: parse_metadata(&row.metadata)?,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        })
    }
}

/// Stored metadata.
pub(in crate::resources) fn parse_metadata(stored: &str) -> Result<Map<String, Value>, Error> {
    serde_json::from_str(stored).map_err(|error| Error::Damaged { what: "metadata", why: error.to_string() })
}

/// Refuses metadata that is too large.
pub(in crate::resources) fn check_metadata(body: &Value, path: &str, problems: &mut Problems) {
    if body.pointer(path).is_some_and(|metadata| metadata.to_string().len() > METADATA_BYTES) {
        problems.add(path, "too_large", "must be at most 16 KiB");
    }
}

/// The contact with this id, or with this number in any spelling.
pub(in crate::resources) async fn find(
    conn: &mut Conn<'_>,
    project: ProjectId,
    identifier: &str,
) -> Result<Option<ContactRow>, ApiError> {
    let id = match identifier.parse() {
        Ok(id) => Some(id),
        Err(_) => match phone::normalise(identifier) {
            Ok(phone) => contacts::by_identity(conn, project, &Identity::phone_number(phone.canonical())).await?,
            Err(_) => None,
        },
    };
    match id {
        Some(id) => Ok(contacts::find(conn, project, id).await?),
        None => Ok(None),
    }
}

impl PathRow for ContactRow {
    const NAME: &'static str = "Contact";

    async fn load(conn: &mut Conn<'_>, project: ProjectId, path: &[String]) -> Result<Option<Self>, ApiError> {
        let [identifier] = path else { return Ok(None) };
        find(conn, project, identifier).await
    }
}
