//! `DELETE /customers/{customer_id}`

use crate::{
    ApiError,
    api::{Changed, change},
    auth::{ProjectContext, path_id},
    resources::whatsapp_configs,
};
use axum::{extract::Path, http::StatusCode};
use store::{contacts, customers};

/// Delete a customer
///
/// Their numbers are deleted with them, as if each was deleted by itself. Contacts and conversations stay, and belong to no
/// customer any more.
#[utoipa::path(
    delete, path = "/customers/{customer_id}", operation_id = "delete_customer", tag = "Customers",
    params(("customer_id", description = "Customer id.")), responses((status = 204, description = "Deleted."))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(customer_id): Path<String>,
) -> Result<Changed<StatusCode>, ApiError> {
    let id = path_id(&customer_id, "Customer")?;
    let project = ctx.project;
    let configs = {
        let mut reader = ctx.store.read().await?;
        store::whatsapp_configs::of_customer(&mut reader.conn(), project, id).await?
    };
    for config in &configs {
        whatsapp_configs::close_most(&ctx, project, config).await?;
    }
    let done = change!(ctx, "customer.delete", tx => {
        customers::lock(tx, project, id).await?.ok_or(ApiError::NotFound("Customer"))?;
        for config in store::whatsapp_configs::of_customer(tx, project, id).await? {
            whatsapp_configs::remove(&ctx, tx, project, &config).await?;
        }
        contacts::leave_customer(tx, project, id).await?;
        customers::delete(tx, project, id).await?;
        Ok(StatusCode::NO_CONTENT)
    });
    ctx.wake.notify_one();
    done
}
