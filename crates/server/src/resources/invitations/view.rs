//! API representation of an invitation.

use crate::api::{Time, roles::RoleName};
use serde::Serialize;
use store::invitations::InvitationRow;
use utoipa::ToSchema;
use uuid::Uuid;

/// An invitation that is not accepted.
#[derive(Serialize, ToSchema)]
pub(super) struct Invitation {
    id: Uuid,
    email: String,
    #[schema(value_type = RoleName)]
    role: &'static str,
    /// `key:`, `user:` and an id, or `operator`.
    created_by: String,
    created_at: Time,
    expires_at: Time,
}

/// A new invitation with its link.
#[derive(Serialize, ToSchema)]
pub(super) struct IssuedInvitation {
    pub(super) id: Uuid,
    /// Link for the person, shown this once: null in the answer to a repeated request.
    #[schema(format = "uri")]
    pub(super) url: Option<String>,
    pub(super) invitation: Invitation,
}

impl Invitation {
    pub(super) fn of(row: &InvitationRow) -> Self {
        Self {
            id: row.id.uuid(),
            email: row.email.clone(),
            role: row.role.as_str(),
            created_by: row.created_by.clone(),
            created_at: row.created_at.into(),
            expires_at: row.expires_at.into(),
        }
    }
}
