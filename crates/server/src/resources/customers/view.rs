//! API representation of a customer, and helpers of create and update.

use crate::{ApiError, api::Time, resources::contacts::parse_metadata};
use domain::ids::{CustomerId, ProjectId};
use serde::Serialize;
use serde_json::{Map, Value};
use store::{
    Error, Tx,
    customers::{self, CustomerRow},
};
use utoipa::ToSchema;
use uuid::Uuid;

/// A customer of the project.
#[derive(Serialize, ToSchema)]
pub(super) struct Customer {
    id: Uuid,
    name: String,
    /// Your own id of the customer.
    external_customer_id: Option<String>,
    metadata: Map<String, Value>,
    created_at: Time,
    updated_at: Time,
}

impl Customer {
    pub(super) fn of(row: &CustomerRow) -> Result<Self, Error> {
        Ok(Self {
            id: row.id.uuid(),
            name: row.name.clone(),
            external_customer_id: row.external_customer_id.clone(),
            metadata: parse_metadata(&row.metadata)?,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        })
    }
}

/// Fails if another customer of the project has the external id.
pub(super) async fn check_external_id(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: CustomerId,
    external: Option<&str>,
) -> Result<(), ApiError> {
    let Some(external) = external else { return Ok(()) };
    match customers::with_external_id(tx, project, external).await? {
        Some(other) if other.id != id => {
            Err(ApiError::invalid("/customer/external_customer_id", "taken", "has already been taken"))
        }
        _ => Ok(()),
    }
}
