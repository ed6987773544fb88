//! `PATCH /customers/{customer_id}/setup_links/{id}`

use super::{
    fields::{self, SetupLinkFields},
    view::SetupLink,
};
use crate::{
    ApiError,
    api::{Data, Problems, RequestBody, Time, body, words},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::extract::Request;
use domain::{
    Timestamp,
    setup_link::{MAX_LIFETIME, SetupLinkStatus},
};
use serde::Deserialize;
use serde_json::Value;
use store::{
    customers, secrets,
    setup_links::{self, SetupLinkRow},
};
use utoipa::ToSchema;

words!(SetupLinkNewStatus = "active", "expired", "revoked");

#[derive(Deserialize, ToSchema)]
pub(super) struct SetupLinkUpdateRequest {
    #[schema(nullable = false)]
    setup_link: Option<SetupLinkChange>,
}

impl RequestBody for SetupLinkUpdateRequest {
    fn check(body: &Value, problems: &mut Problems) {
        fields::check(body, problems);
    }
}

/// Omitted fields stay unchanged.
#[derive(Deserialize, ToSchema, Default)]
struct SetupLinkChange {
    #[serde(flatten)]
    fields: SetupLinkFields,
    /// At most a year from now. A time in the past ends the link.
    #[schema(nullable = false)]
    expires_at: Option<Time>,
    #[schema(value_type = Option<SetupLinkNewStatus>, nullable = false)]
    status: Option<String>,
}

/// Change, extend or revoke a setup link
///
/// A link that becomes active again revokes the customer's other active links. A used link cannot be
/// changed.
#[utoipa::path(
    patch, path = "/customers/{customer_id}/setup_links/{id}", operation_id = "update_setup_link", tag = "Setup Links",
    request_body = Option<SetupLinkUpdateRequest>,
    params(("customer_id" = uuid::Uuid, description = "Customer id."), ("id" = uuid::Uuid, description = "Link id.")),
    responses(
        (status = 200, description = "The updated link.", body = Data<SetupLink>),
        (status = 422, description = "`link_used`: a number was connected with it. Details: `invalid_url`, `invalid_format`, `not_supported`, \
            `out_of_range`, `expired`"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(link): Found<SetupLinkRow>,
    request: Request,
) -> Result<Changed<Data<SetupLink>>, ApiError> {
    let project = ctx.project;
    let sent = body::read::<SetupLinkUpdateRequest>(request).await?.setup_link.unwrap_or_default();
    change!(ctx, "setup_link.update", tx => {
        customers::lock(tx, project, link.customer_id).await?.ok_or(ApiError::NotFound("Setup link"))?;
        let mut row = setup_links::lock(tx, project, link.id).await?.found()?;
        let now = ctx.now();
        let before = row.status(now);
        if before == SetupLinkStatus::Used {
            return Err(ApiError::state("link_used", "Setup link was used", "a number was connected with this link; create another link"));
        }
        sent.apply(&mut row, now)?;
        row.updated_at = now;
        setup_links::update(tx, project, &row).await?;
        if row.status(now) != SetupLinkStatus::Active {
            // The token of a sign-up that was not completed.
            secrets::delete(tx, project, domain::Id::from_uuid(row.id.uuid())).await?;
        }
        if before != SetupLinkStatus::Active && row.status(now) == SetupLinkStatus::Active {
            setup_links::revoke_others(tx, project, &row, now).await?;
        }
        Ok(Data { data: SetupLink::of(&ctx, &row) })
    })
}

impl SetupLinkChange {
    fn apply(&self, row: &mut SetupLinkRow, now: Timestamp) -> Result<(), ApiError> {
        self.fields.apply(row);
        if let Some(Time(at)) = self.expires_at {
            if at > now + MAX_LIFETIME {
                return Err(ApiError::invalid("/setup_link/expires_at", "out_of_range", "must be within a year"));
            }
            row.expires_at = at;
        }
        match self.status.as_deref() {
            Some("revoked") => row.revoked_at = Some(now),
            Some("expired") => (row.revoked_at, row.expires_at) = (None, row.expires_at.min(now)),
            Some("active") => {
                row.revoked_at = None;
                if row.status(now) != SetupLinkStatus::Active {
                    let why = "the link has expired; send a time in the future as well";
                    return Err(ApiError::invalid("/setup_link/expires_at", "expired", why));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
