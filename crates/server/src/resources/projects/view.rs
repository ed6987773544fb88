//! API representation of a project.

use super::agent_messages::AgentMessageSettings;
use crate::api::Time;
use domain::{Timestamp, ids::ProjectId};
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

/// A project with all that its owner may change.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProjectDetails {
    id: Uuid,
    name: String,
    /// Null unless the project is archived.
    archived_at: Option<Time>,
    agent_messages: AgentMessageSettings,
    created_at: Time,
    updated_at: Time,
}

impl ProjectDetails {
    pub(crate) fn of(row: &ProjectRow) -> Self {
        Self {
            id: row.id.uuid(),
            name: row.name.clone(),
            archived_at: row.archived_at.map(Time::from),
            agent_messages: AgentMessageSettings::of(row),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}

/// A project whose rows are being deleted.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeletedProject {
    id: Uuid,
    deleted_at: Time,
}

impl DeletedProject {
    pub(super) fn new(id: ProjectId, at: Timestamp) -> Self {
        Self { id: id.uuid(), deleted_at: at.into() }
    }
}
