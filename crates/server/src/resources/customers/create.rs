//! `POST /customers`

use super::view::{self, Customer};
use crate::{
    ApiError,
    api::{Created, Data, Problems, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
    resources::contacts::check_metadata,
};
use axum::extract::Request;
use serde::Deserialize;
use serde_json::{Map, Value};
use store::customers::{self, CustomerRow};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct CustomerCreateRequest {
    customer: NewCustomer,
}

impl RequestBody for CustomerCreateRequest {
    const WRAPPER: &'static [&'static str] = &["customer"];

    fn check(body: &Value, problems: &mut Problems) {
        check_metadata(body, "/customer/metadata", problems);
    }
}

#[derive(Deserialize, ToSchema)]
struct NewCustomer {
    #[schema(min_length = 1, max_length = 120, pattern = r"\S")]
    name: String,
    /// Your own id of the customer; unique in the project.
    #[schema(min_length = 1, max_length = 255, pattern = r"\S")]
    external_customer_id: String,
    /// At most 16 KiB.
    metadata: Option<Map<String, Value>>,
}

/// Create a customer
///
/// `external_customer_id` is the id in your own system; it is unique in the project.
#[utoipa::path(
    post, path = "/customers", operation_id = "create_customer", tag = "Customers", request_body = CustomerCreateRequest,
    responses(
        (status = 201, description = "The customer.", body = Data<Customer>),
        (status = 422, description = "Details: `taken`, `too_large`"),
    )
)]
pub(super) async fn handle(ctx: ProjectContext, request: Request) -> Result<Changed<Created<Customer>>, ApiError> {
    let new = body::read::<CustomerCreateRequest>(request).await?.customer;
    let (project, now) = (ctx.project, ctx.now());
    let row = CustomerRow {
        id: ctx.new_id(),
        name: new.name,
        external_customer_id: Some(new.external_customer_id),
        metadata: Value::Object(new.metadata.unwrap_or_default()).to_string(),
        created_at: now,
        updated_at: now,
    };
    change!(ctx, "customer.create", tx => {
        view::check_external_id(tx, project, row.id, row.external_customer_id.as_deref()).await?;
        customers::insert(tx, project, &row).await?;
        Ok(Created(Customer::of(&row)?))
    })
}
