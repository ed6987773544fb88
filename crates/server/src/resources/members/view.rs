//! API representation of a member.

use crate::api::{Time, roles::RoleName};
use domain::role::Role;
use serde::Serialize;
use store::members::MemberRow;
use utoipa::ToSchema;
use uuid::Uuid;

/// A person with a role in the project.
#[derive(Serialize, ToSchema)]
pub(super) struct Member {
    /// User id, as in assignments.
    id: Uuid,
    /// Empty until the person has chosen one.
    name: String,
    /// Null for readers below `owner`.
    email: Option<String>,
    #[schema(value_type = RoleName)]
    role: &'static str,
    created_at: Time,
}

impl Member {
    pub(super) fn of(row: &MemberRow, reader: Role) -> Self {
        Self {
            id: row.user_id.uuid(),
            name: row.name.clone(),
            email: reader.includes(Role::Owner).then(|| row.email.clone()),
            role: row.role.as_str(),
            created_at: row.created_at.into(),
        }
    }
}
