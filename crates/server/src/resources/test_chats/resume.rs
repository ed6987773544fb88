//! `POST /test_chats/{id}/resume`

use super::{
    create::deliver,
    view::{self, AgentTestChat},
};
use crate::{
    ApiError,
    api::{Data, RequestBody, body, words},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::extract::Request;
use domain::execution::ExecutionInput;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::test_chats;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct TestChatResume {
    /// Data of a system.
    message: Option<PayloadMessage>,
}

impl RequestBody for TestChatResume {}

#[derive(Deserialize, ToSchema)]
struct PayloadMessage {
    #[serde(rename = "type")]
    #[schema(value_type = Option<PayloadType>, nullable = false)]
    _type: Option<String>,
    #[schema(nullable = false)]
    content: Option<Map<String, Value>>,
}

words!(PayloadType = "payload");

/// Send data to a completed test chat
///
/// The data is not shown as a message.
#[utoipa::path(
    post, path = "/test_chats/{id}/resume", operation_id = "resume_agent_test_chat", tag = "Agent Test Chats",
    params(("id", description = "Chat id.")), request_body = TestChatResume,
    responses(
        (status = 200, description = "The chat.", body = Data<AgentTestChat>),
        (status = 422, description = "`invalid_transition`: it is not completed"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(chat): Found<test_chats::TestChatRow>,
    request: Request,
) -> Result<Changed<Data<AgentTestChat>>, ApiError> {
    let project = ctx.project;
    let message = body::read::<TestChatResume>(request).await?.message;
    let content = message.and_then(|message| message.content).map(Value::Object);
    let input = ExecutionInput::Payload { value: content.unwrap_or_else(|| json!({"resumed": true})) };
    let answer = change!(ctx, "test_chat.resume", tx => {
        let row = test_chats::lock(tx, project, chat.id, ctx.now()).await?.found()?;
        let (status, _) = view::standing(tx, project, &row).await?;
        if status != "completed" {
            let why = format!("Status is {status}");
            return Err(ApiError::state("invalid_transition", "Test chat cannot be resumed", why));
        }
        deliver(&ctx, tx, project, &row, &input).await?;
        Ok(Data { data: AgentTestChat::of(tx, project, &row).await? })
    })?;
    ctx.wake.notify_one();
    Ok(answer)
}
