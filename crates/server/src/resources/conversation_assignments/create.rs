//! `POST /whatsapp_conversations/{whatsapp_conversation_id}/conversation_assignments`

use super::view::{self, ConversationAssignment};
use crate::{
    ApiError,
    api::{Created, Data, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::extract::Request;
use runtime::ownership;
use serde::Deserialize;
use store::{
    conversation_assignments::{self, AssignmentRow},
    conversations,
};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Deserialize, ToSchema)]
pub(super) struct ConversationAssignmentCreateRequest {
    conversation_assignment: NewConversationAssignment,
}

#[derive(Deserialize, ToSchema)]
struct NewConversationAssignment {
    /// A member of the project.
    user_id: Uuid,
    #[schema(max_length = 2000)]
    notes: Option<String>,
}

impl RequestBody for ConversationAssignmentCreateRequest {
    const WRAPPER: &'static [&'static str] = &["conversation_assignment"];
}

/// Assign the conversation to a project member
///
/// The agent stops at once: a pending model call is abandoned and queued answers are not sent.
/// Messages written meanwhile are kept for the agent.
#[utoipa::path(
    post, path = "/whatsapp_conversations/{whatsapp_conversation_id}/conversation_assignments",
    operation_id = "create_conversation_assignment", tag = "Conversation Assignments",
    params(("whatsapp_conversation_id", description = "Conversation id.")),
    request_body = ConversationAssignmentCreateRequest,
    responses(
        (status = 201, description = "The assignment.", body = Data<ConversationAssignment>),
        (status = 422, description = "`already_assigned`: the conversation has an active assignment"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(conversation): Found<conversations::ConversationRow>,
    request: Request,
) -> Result<Changed<Created<ConversationAssignment>>, ApiError> {
    let project = ctx.project;
    let new = body::read::<ConversationAssignmentCreateRequest>(request).await?.conversation_assignment;
    let changed = change!(ctx, "conversation_assignment.create", tx => {
        let now = ctx.now();
        let user = view::member(tx, project, new.user_id).await?;
        let conversation = conversations::lock(tx, project, conversation.id, now).await?.found()?;
        if conversation.is_assigned() {
            return Err(view::taken());
        }
        let row = AssignmentRow {
            id: ctx.new_id(),
            conversation_id: conversation.id,
            user_id: user,
            active: true,
            notes: new.notes.clone(),
            created_by_user_id: ctx.principal.user(),
            author: Some(ctx.author()),
            created_at: now,
        };
        conversation_assignments::insert(tx, project, &row).await?;
        ownership::assign(&ctx, tx, project, &conversation, user, now).await?;
        Ok(Created(ConversationAssignment::of(&row)))
    })?;
    ctx.interrupts.signal(conversation.id);
    ctx.wake.notify_one();
    Ok(changed)
}
