//! `POST /customers/{customer_id}/setup_links`

use super::{
    fields::{self, SetupLinkFields},
    view::{self, SetupLink},
};
use crate::{
    ApiError,
    api::{Data, Problems, RequestBody, answer::Issued, body},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::extract::Request;
use domain::setup_link::LIFETIME;
use serde::Deserialize;
use serde_json::Value;
use store::{
    customers::{self, CustomerRow},
    setup_links::{self, SetupLinkRow},
};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct SetupLinkCreateRequest {
    #[schema(nullable = false)]
    setup_link: Option<SetupLinkFields>,
}

impl RequestBody for SetupLinkCreateRequest {
    fn check(body: &Value, problems: &mut Problems) {
        fields::check(body, problems);
    }
}

/// Create a setup link
///
/// Give its URL to the customer, who connects a number there, once and within 30 days. Revokes the
/// customer's earlier active links.
#[utoipa::path(
    post, path = "/customers/{customer_id}/setup_links", operation_id = "create_setup_link", tag = "Setup Links",
    params(("customer_id", description = "Customer id.")), request_body = Option<SetupLinkCreateRequest>,
    responses(
        (status = 201, description = "The new, active link.", body = Data<SetupLink>),
        (status = 422, description = "Details: `invalid_url`, `invalid_format`, `not_supported`"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(customer): Found<CustomerRow>,
    request: Request,
) -> Result<Changed<Issued<SetupLink>>, ApiError> {
    let project = ctx.project;
    let sent = body::read::<SetupLinkCreateRequest>(request).await?.setup_link.unwrap_or_default();
    let done = change!(ctx, "setup_link.create", tx => {
        customers::lock(tx, project, customer.id).await?.found()?;
        let now = ctx.now();
        let mut row = SetupLinkRow {
            id: ctx.new_id(),
            customer_id: customer.id,
            expires_at: now + LIFETIME,
            used_at: None,
            revoked_at: None,
            success_redirect_url: None,
            failure_redirect_url: None,
            allowed_connection_types: r#"["dedicated"]"#.into(),
            phone_number_country_isos: r#"["US"]"#.into(),
            phone_number_area_code: None,
            theme_config: None,
            created_at: now,
            updated_at: now,
        };
        sent.apply(&mut row);
        setup_links::revoke_others(tx, project, &row, now).await?;
        setup_links::insert(tx, project, &row).await?;
        Ok(Issued(SetupLink::of(&ctx, &row), "url"))
    })?;
    view::with_url(&ctx, done)
}
