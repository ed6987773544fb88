//! API representation of a project.

use crate::api::Time;
use serde::Serialize;
use store::projects::ProjectRow;
use utoipa::ToSchema;
use uuid::Uuid;

/// A tenant, which owns all other resources.
#[derive(Serialize, ToSchema)]
pub(crate) struct Project {
    id: Uuid,
    name: String,
    created_at: Time,
    updated_at: Time,
}

impl Project {
    pub(crate) fn of(row: &ProjectRow) -> Self {
        Self {
            id: row.id.uuid(),
            name: row.name.clone(),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}
