//! `PATCH /customers/{customer_id}`

use super::view::{self, Customer};
use crate::{
    ApiError,
    api::{Data, Problems, RequestBody, body, three_state},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
    resources::contacts::check_metadata,
};
use axum::extract::Request;
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

/// Omitted fields stay unchanged.
#[derive(Deserialize, ToSchema)]
struct CustomerChange {
    #[schema(min_length = 1, max_length = 120, pattern = r"\S", nullable = false)]
    name: Option<String>,
    /// Your own id of the customer; null removes it.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, pattern = r"\S")]
    external_customer_id: Option<Option<String>>,
    /// Replaces the metadata; null clears it. At most 16 KiB.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<Map<String, Value>>)]
    metadata: Option<Option<Map<String, Value>>>,
}

/// Update a customer's name, external id or metadata
///
/// Omitted fields stay unchanged.
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
    Found(customer): Found<customers::CustomerRow>,
    request: Request,
) -> Result<Changed<Data<Customer>>, ApiError> {
    let project = ctx.project;
    let sent = body::read::<CustomerUpdateRequest>(request).await?.customer;
    change!(ctx, "customer.update", tx => {
        let mut row = customers::lock(tx, project, customer.id).await?.found()?;
        if let Some(name) = &sent.name {
            row.name.clone_from(name);
        }
        if let Some(external) = &sent.external_customer_id {
            row.external_customer_id.clone_from(external);
            view::check_external_id(tx, project, customer.id, external.as_deref()).await?;
        }
        if let Some(metadata) = &sent.metadata {
            row.metadata = Value::Object(metadata.clone().unwrap_or_default()).to_string();
        }
        row.updated_at = ctx.now();
        customers::update(tx, project, &row).await?;
        Ok(Data { data: Customer::of(&row)? })
    })
}
