//! API representation of a note.

use crate::{
    ApiError,
    api::Time,
    auth::ProjectContext,
    found::PathRow,
    resources::contacts::{self, parse_metadata},
};
use domain::{
    event::Event,
    ids::{ContactId, ContactNoteId, ProjectId},
};
use runtime::events;
use serde::Serialize;
use serde_json::{Map, Value, json};
use store::{
    Conn, Error, Tx,
    contact_notes::{self, ContactNoteRow},
};
use utoipa::ToSchema;
use uuid::Uuid;

/// A note about a contact.
#[derive(Serialize, ToSchema)]
pub(super) struct WhatsappContactNote {
    id: Uuid,
    name: Option<String>,
    content: String,
    metadata: Map<String, Value>,
    created_at: Time,
    updated_at: Time,
}

impl WhatsappContactNote {
    pub(super) fn of(row: &ContactNoteRow) -> Result<Self, Error> {
        Ok(Self {
            id: row.id.uuid(),
            name: row.name.clone(),
            content: row.content.clone(),
            metadata: parse_metadata(&row.metadata)?,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        })
    }
}

/// Reports a change of a note.
pub(super) async fn append_event(
    ctx: &ProjectContext,
    tx: &mut Tx<'_>,
    note: ContactNoteId,
    contact: ContactId,
    change: &str,
) -> Result<(), Error> {
    let body = json!({"contact_id": contact, "change": change, "author": ctx.author()});
    events::append(ctx, tx, ctx.project, Event::NoteChanged, note.uuid(), &body).await
}

/// A note and its contact, as a path names them.
pub(super) struct ContactNote {
    pub(super) contact: ContactId,
    pub(super) note: ContactNoteRow,
}

impl PathRow for ContactNote {
    const NAME: &'static str = "Note";

    async fn load(conn: &mut Conn<'_>, project: ProjectId, path: &[String]) -> Result<Option<Self>, ApiError> {
        let [identifier, id] = path else { return Ok(None) };
        let Ok(id) = id.parse() else { return Ok(None) };
        let Some(contact) = contacts::find(conn, project, identifier).await?.map(|row| row.id) else {
            return Ok(None);
        };
        let note = contact_notes::find(conn, project, contact, id).await?;
        Ok(note.map(|note| Self { contact, note }))
    }
}
