//! `PATCH /customers/{customer_id}`

use super::view::{self, Customer};
use crate::{
    ApiError,
    api::{Changed, Data, Problems, RequestBody, body, change, three_state},
    auth::{ProjectContext, path_id},
    resources::contacts::check_metadata,
};
use axum::extract::{Path, Request};
use serde::Deserialize;
use serde_json::{Map, Value};
use store::customers;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct CustomerUpdateRequest {
    customer: CustomerChange,
}

impl RequestBody for CustomerUpdateRequest {
    const WRAPPER: &'static [&'static str] = &["customer"];

    fn check(body: &Value, problems: &mut Problems) {
        check_metadata(body, "/customer/metadata", problems);
    }
}

/// What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
struct CustomerChange {
    #[schema(min_length = 1, max_length = 120, pattern = r"\S", nullable = false)]
    name: Option<String>,
    /// Your own key for them; null takes it away.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, pattern = r"\S")]
    external_customer_id: Option<Option<String>>,
    /// Replaces the whole; null empties it. At most 16 KiB.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<Map<String, Value>>)]
    metadata: Option<Option<Map<String, Value>>>,
}

/// Change a customer's name, external id or metadata
#[utoipa::path(
    patch, path = "/customers/{customer_id}", operation_id = "update_customer", tag = "Customers",
    request_body = CustomerUpdateRequest, params(("customer_id", description = "Customer id.")),
    responses(
        (status = 200, description = "The customer.", body = Data<Customer>),
        (status = 422, description = "Details: `taken`, `too_large`"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(customer_id): Path<String>,
    request: Request,
) -> Result<Changed<Data<Customer>>, ApiError> {
    let id = path_id(&customer_id, "Customer")?;
    let project = ctx.project;
    {
        let mut reader = ctx.store.read().await?;
        customers::find(&mut reader.conn(), project, id).await?.ok_or(ApiError::NotFound("Customer"))?;
    }
    let sent = body::read::<CustomerUpdateRequest>(request).await?.customer;
    change!(ctx, "customer.update", tx => {
        let mut row = customers::lock(tx, project, id).await?.ok_or(ApiError::NotFound("Customer"))?;
        if let Some(name) = &sent.name {
            row.name.clone_from(name);
        }
        if let Some(external) = &sent.external_customer_id {
            row.external_customer_id.clone_from(external);
            view::check_external_id(tx, project, id, external.as_deref()).await?;
        }
        if let Some(metadata) = &sent.metadata {
            row.metadata = Value::Object(metadata.clone().unwrap_or_default()).to_string();
        }
        row.updated_at = ctx.now();
        customers::update(tx, project, &row).await?;
        Ok(Data { data: Customer::of(&row)? })
    })
}
