//! The live feed: streams of a project's events.

mod authors;
pub mod client;
mod limits;
mod nodes;
mod stream;
mod topics;

use domain::{event::Event, ids::ProjectId};
use server::App;
use store::events;
use uuid::Uuid;

/// Commits an event about an object.
async fn append(app: &App, project: ProjectId, object: Uuid) {
    let ctx = app.context();
    store::transact!(ctx.store, "test.event", tx => {
        let mut scope = tx.scope(project, ctx.now());
        events::append(&mut scope, ctx.new_uuid(), Event::MessageMedia, object, "{}").await
    })
    .unwrap();
}
