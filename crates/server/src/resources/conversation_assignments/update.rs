//! `PATCH /whatsapp_conversations/{whatsapp_conversation_id}/conversation_assignments/{id}`

use super::view::{self, ConversationAssignment};
use crate::{
    ApiError,
    api::{Data, RequestBody, body, three_state},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::extract::Request;
use runtime::ownership;
use serde::Deserialize;
use store::{conversation_assignments, conversations};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Deserialize, ToSchema)]
pub(super) struct ConversationAssignmentUpdateRequest {
    conversation_assignment: ConversationAssignmentChange,
}

/// Omitted fields stay unchanged.
#[derive(Deserialize, ToSchema)]
struct ConversationAssignmentChange {
    /// A member of the project.
    #[schema(nullable = false)]
    user_id: Option<Uuid>,
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<String>, max_length = 2000)]
    notes: Option<Option<String>>,
    /// False returns the conversation to the agent; true takes it over again.
    #[schema(nullable = false)]
    active: Option<bool>,
}

impl RequestBody for ConversationAssignmentUpdateRequest {
    const WRAPPER: &'static [&'static str] = &["conversation_assignment"];
}

/// Update notes or assignee, or deactivate
///
/// Deactivating resumes the agent with the messages written meanwhile.
#[utoipa::path(
    patch, path = "/whatsapp_conversations/{whatsapp_conversation_id}/conversation_assignments/{id}",
    operation_id = "update_conversation_assignment", tag = "Conversation Assignments",
    params(("whatsapp_conversation_id", description = "Conversation id."), ("id", description = "Assignment id.")),
    request_body = ConversationAssignmentUpdateRequest,
    responses(
        (status = 200, description = "The assignment.", body = Data<ConversationAssignment>),
        (status = 422, description = "`already_assigned`: the conversation has another active assignment"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(assignment): Found<conversation_assignments::AssignmentRow>,
    request: Request,
) -> Result<Changed<Data<ConversationAssignment>>, ApiError> {
    let (conversation, id) = (assignment.conversation_id, assignment.id);
    let project = ctx.project;
    let sent = body::read::<ConversationAssignmentUpdateRequest>(request).await?.conversation_assignment;
    let changed = change!(ctx, "conversation_assignment.update", tx => {
        let now = ctx.now();
        let locked = conversations::lock(tx, project, conversation, now).await?.ok_or(ApiError::NotFound("Assignment"))?;
        let row = conversation_assignments::find(tx, project, conversation, id).await?;
        let mut row = row.found()?;
        let (was_active, previous_user) = (row.active, row.user_id);
        let is_active = sent.active.unwrap_or(was_active);
        if is_active && !was_active && locked.is_assigned() {
            return Err(view::taken());
        }
        if let Some(user) = sent.user_id {
            row.user_id = view::member(tx, project, user).await?;
        }
        if let Some(notes) = &sent.notes {
            row.notes.clone_from(notes);
        }
        row.active = is_active;
        conversation_assignments::update(tx, project, &row, now).await?;
        match (was_active, is_active) {
            (false, true) => ownership::assign(&ctx, tx, project, &locked, row.user_id, now).await?,
            (true, false) => ownership::release(&ctx, tx, project, &locked, now).await?,
            (true, true) if row.user_id != previous_user => {
                ownership::reassign(&ctx, tx, project, &locked, row.user_id).await?;
            }
            _ => {}
        }
        Ok(Data { data: ConversationAssignment::of(&row) })
    })?;
    ctx.interrupts.signal(conversation);
    ctx.wake.notify_one();
    Ok(changed)
}
