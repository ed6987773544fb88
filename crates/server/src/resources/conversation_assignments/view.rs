//! API representation of an assignment, and the check of its assignee.

use crate::{ApiError, api::Time, found::PathRow};
use domain::{
    Id,
    ids::{ProjectId, UserId},
};
use serde::Serialize;
use store::{
    Conn,
    conversation_assignments::{self, AssignmentRow},
    users,
};
use utoipa::ToSchema;
use uuid::Uuid;

/// Assignment of a conversation to a person.
#[derive(Serialize, ToSchema)]
pub(super) struct ConversationAssignment {
    id: Uuid,
    user_id: Uuid,
    active: bool,
    notes: Option<String>,
    created_at: Time,
    /// User who created the API key of the request; null for keys created by an operator.
    created_by_user_id: Option<Uuid>,
}

impl ConversationAssignment {
    pub(super) fn of(row: &AssignmentRow) -> Self {
        Self {
            id: row.id.uuid(),
            user_id: row.user_id.uuid(),
            active: row.active,
            notes: row.notes.clone(),
            created_at: row.created_at.into(),
            created_by_user_id: row.created_by_user_id.map(|id| id.uuid()),
        }
    }
}

/// Loads a member of the project. Users of other projects are answered like absent ones.
pub(super) async fn member(conn: &mut Conn<'_>, project: ProjectId, user: Uuid) -> Result<UserId, ApiError> {
    let user = Id::from_uuid(user);
    users::project(conn, user, project).await?.map(|_| user).ok_or(ApiError::NotFound("User"))
}

pub(super) fn taken() -> ApiError {
    ApiError::state("already_assigned", "Conversation is assigned already", "change or release the active assignment")
}

impl PathRow for AssignmentRow {
    const NAME: &'static str = "Assignment";

    async fn load(conn: &mut Conn<'_>, project: ProjectId, path: &[String]) -> Result<Option<Self>, ApiError> {
        let [conversation, id] = path else { return Ok(None) };
        let (Ok(conversation), Ok(id)) = (conversation.parse(), id.parse()) else { return Ok(None) };
        Ok(conversation_assignments::find(conn, project, conversation, id).await?)
    }
}
