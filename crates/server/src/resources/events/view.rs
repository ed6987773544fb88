//! API representation of an event, and of events since a cursor.

use crate::api::{Time, words};
use domain::{Timestamp, author::Author, ids::SessionId};
use runtime::feed;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A change in the project. It says what changed; read the object for the rest.
#[derive(Serialize, ToSchema)]
pub(super) struct FeedEvent {
    /// The same each time the event is delivered.
    id: Uuid,
    /// `message.received`, `message.status`, `conversation.updated`, `execution.status`, …
    topic: String,
    /// Message, conversation, execution or other object that the topic names.
    object_id: Uuid,
    /// Absent if the object has no conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    conversation_id: Option<Uuid>,
    /// With `message.created` and `note.changed`. Absent if no agent, person or key did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    author: Option<FeedAuthor>,
    at: Time,
}

/// The execution, user or API key that made a change.
#[derive(Serialize, ToSchema)]
struct FeedAuthor {
    #[serde(rename = "type")]
    #[schema(value_type = FeedAuthorType)]
    kind: &'static str,
    id: Uuid,
}

words!(FeedAuthorType = "execution", "user", "api_key");

impl FeedAuthor {
    const fn of(author: Author) -> Self {
        let (kind, id) = match author {
            Author::Execution(id) => ("execution", id.uuid()),
            Author::User(id) => ("user", id.uuid()),
            Author::ApiKey(id) => ("api_key", id.uuid()),
        };
        Self { kind, id }
    }
}

impl FeedEvent {
    /// The last event of a stream whose session ended. It is not stored: only this stream receives it.
    pub(super) fn session_revoked(id: Uuid, session: SessionId, at: Timestamp) -> Self {
        let (topic, object_id) = ("session.revoked".to_owned(), session.uuid());
        Self { id, topic, object_id, conversation_id: None, author: None, at: at.into() }
    }

    pub(super) fn of(event: &feed::FeedEvent) -> Self {
        Self {
            id: event.id,
            topic: event.topic.clone(),
            object_id: event.object_id,
            conversation_id: event.conversation_id,
            author: event.author.map(FeedAuthor::of),
            at: event.at.into(),
        }
    }
}

/// Events since a cursor, oldest first.
#[derive(Serialize, ToSchema)]
pub(super) struct FeedPage {
    data: Vec<FeedEvent>,
    meta: FeedMeta,
}

/// Place of a page in the feed.
#[derive(Serialize, ToSchema)]
struct FeedMeta {
    /// For `after` of the next request.
    cursor: String,
    /// True if events were missed: read all objects again.
    reset: bool,
}

impl FeedPage {
    pub(super) fn of(resumed: &feed::Resumed) -> Self {
        let meta = FeedMeta { cursor: resumed.now.to_string(), reset: resumed.reset };
        Self { data: resumed.events.iter().map(FeedEvent::of).collect(), meta }
    }
}
