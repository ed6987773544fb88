//! The link of a page's token.

use super::outcome::Reason;
use crate::{ApiError, AppState, resources::setup_links};
use store::{
    customers::{self, CustomerRow},
    projects::{self, ProjectRow},
    setup_links::SetupLinkRow,
};

/// A link with its customer and project.
pub(super) struct Opened {
    pub(super) project: ProjectRow,
    pub(super) customer: CustomerRow,
    pub(super) link: SetupLinkRow,
}

impl Opened {
    /// Reason why the link cannot be used; `None` for an active one.
    pub(super) fn ended(&self, ctx: &AppState) -> Option<Reason> {
        match self.project.archived_at {
            Some(_) => Some(Reason::Revoked),
            None => Reason::of_status(self.link.status(ctx.now())),
        }
    }
}

/// Loads the link of a token. A token that this installation did not make costs no query.
pub(super) async fn open(ctx: &AppState, token: &str) -> Result<Option<Opened>, ApiError> {
    let Some((project, id)) = setup_links::read(ctx, token) else { return Ok(None) };
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let Some(link) = store::setup_links::find(&mut conn, project, id).await? else { return Ok(None) };
    let customer = customers::find(&mut conn, project, link.customer_id).await?;
    let project = projects::find(&mut conn, project).await?;
    Ok(project.zip(customer).map(|(project, customer)| Opened { project, customer, link }))
}
