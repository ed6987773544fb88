//! `POST /customers/{customer_id}/whatsapp_configs`

use super::{register::WhatsappConfigCreateRequest, view::WhatsappConfig};
use crate::{
    ApiError,
    api::{Created, Data, body},
    auth::ProjectContext,
    change::{self, Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::extract::Request;
use store::customers;

/// Register a WhatsApp number for a customer
///
/// The config receives messages once its access token has read the number and the business account
/// at Meta. Meta is asked at once, and again later if it refuses or does not answer: the config is
/// stored anyway, and its health shows the proof. Messages to a registered number wait up to 14 days
/// for the proof.
#[utoipa::path(
    post, path = "/customers/{customer_id}/whatsapp_configs", operation_id = "create_customer_whatsapp_config",
    tag = "WhatsApp Configs", request_body = WhatsappConfigCreateRequest,
    params(("customer_id", description = "Customer id.")),
    responses(
        (status = 201, description = "The config.", body = Data<WhatsappConfig>),
        (status = 409, description = "`number_taken`: the project has a config with the number, or another project has proved it"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(customer): Found<customers::CustomerRow>,
    request: Request,
) -> Result<Changed<Created<WhatsappConfig>>, ApiError> {
    let project = ctx.project;
    let new = body::read::<WhatsappConfigCreateRequest>(request).await?.whatsapp_config;
    new.check_number(&ctx)?;
    if let Some(before) = change::before(&ctx).await? {
        return Ok(Changed::Before(before));
    }
    let check = new.check(&ctx).await;
    change!(ctx, "whatsapp_config.create", tx => {
        customers::lock(tx, project, customer.id).await?.found()?;
        let row = new.insert(&ctx, tx, project, customer.id, check.as_ref()).await?;
        Ok(Created(WhatsappConfig::of(&row)))
    })
}
