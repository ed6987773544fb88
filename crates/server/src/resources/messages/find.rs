//! Loads the message of a path.

use crate::ApiError;
use domain::ids::{MessageId, ProjectId};
use store::{
    Conn,
    conversations::{self, ConversationRow},
    messages::{self, MessageRow},
};

/// Message and conversation. Messages of test chats are not found.
pub(super) async fn find(
    conn: &mut Conn<'_>,
    project: ProjectId,
    id: MessageId,
) -> Result<(MessageRow, ConversationRow), ApiError> {
    let missing = || ApiError::NotFound("Message");
    let message = messages::find(conn, project, id).await?.ok_or_else(missing)?;
    let conversation = conversations::find(conn, project, message.conversation_id).await?;
    let conversation = conversation.filter(|conversation| !conversation.phone_number_id.is_empty());
    Ok((message, conversation.ok_or_else(missing)?))
}
