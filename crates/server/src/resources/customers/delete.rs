//! `DELETE /customers/{customer_id}`

use crate::{
    ApiError,
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
    resources::whatsapp_configs,
};
use axum::http::StatusCode;
use store::{contacts, customers, setup_links};

/// Delete a customer
///
/// Also deletes the customer's configs, as `DELETE /whatsapp_configs/{config_id}` does, and its setup
/// links. Contacts and conversations stay without a customer.
#[utoipa::path(
    delete, path = "/customers/{customer_id}", operation_id = "delete_customer", tag = "Customers",
    params(("customer_id", description = "Customer id.")), responses((status = 204, description = "Deleted."))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(customer): Found<customers::CustomerRow>,
) -> Result<Changed<StatusCode>, ApiError> {
    let project = ctx.project;
    let configs = {
        let mut reader = ctx.store.read().await?;
        store::whatsapp_configs::of_customer(&mut reader.conn(), project, customer.id).await?
    };
    for config in &configs {
        whatsapp_configs::close_in_batches(&ctx, project, config).await?;
    }
    let done = change!(ctx, "customer.delete", tx => {
        customers::lock(tx, project, customer.id).await?.found()?;
        for config in store::whatsapp_configs::of_customer(tx, project, customer.id).await? {
            whatsapp_configs::remove(&ctx, tx, project, &config).await?;
        }
        contacts::leave_customer(tx, project, customer.id).await?;
        setup_links::delete_of_customer(tx, project, customer.id).await?;
        customers::delete(tx, project, customer.id).await?;
        Ok(StatusCode::NO_CONTENT)
    });
    ctx.wake.notify_one();
    done
}
