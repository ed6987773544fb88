//! How an assignment is shown, and who can have one.

use crate::{ApiError, api::Time};
use domain::{
    Id,
    ids::{ConversationId, ProjectId, UserId},
};
use serde::Serialize;
use store::{Conn, conversation_assignments::AssignmentRow, conversations, users};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const WHAT: &str = "Assignment";

/// That a person has, or had, a conversation.
#[derive(Serialize, ToSchema)]
pub(super) struct ConversationAssignment {
    id: Uuid,
    user_id: Uuid,
    active: bool,
    notes: Option<String>,
    created_at: Time,
    /// Who made the key that it was made with; null for a key of the operator's.
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

/// The conversation, which must be there.
pub(super) async fn conversation(
    conn: &mut Conn<'_>,
    project: ProjectId,
    id: ConversationId,
    what: &'static str,
) -> Result<(), ApiError> {
    conversations::find(conn, project, id).await?.map(drop).ok_or(ApiError::NotFound(what))
}

/// Somebody who works in the project. Who works elsewhere is as little there as who does not exist.
pub(super) async fn member(conn: &mut Conn<'_>, project: ProjectId, user: Uuid) -> Result<UserId, ApiError> {
    let user = Id::from_uuid(user);
    users::project(conn, user, project).await?.map(|_| user).ok_or(ApiError::NotFound("User"))
}

pub(super) fn taken() -> ApiError {
    let message = "the conversation has an active assignment; change or release that one";
    ApiError::State("already_assigned", message.into())
}
