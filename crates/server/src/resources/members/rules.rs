//! Checks and events shared by all changes of members.

use crate::ApiError;
use domain::{
    event::Event,
    ids::{ApiKeyId, ProjectId, UserId},
    role::Role,
};
use runtime::{Context, events};
use serde_json::json;
use store::{Tx, members};

/// Refuses to give the last owner another role, or none.
pub(crate) async fn keep_an_owner(
    tx: &mut Tx<'_>,
    project: ProjectId,
    user: UserId,
    role: Option<Role>,
) -> Result<(), ApiError> {
    if role != Some(Role::Owner) && members::is_last_owner(tx, project, user).await? {
        let why = "the project needs an owner; make another member an owner first";
        return Err(ApiError::conflict("last_owner", "A project needs an owner", why));
    }
    Ok(())
}

/// Events of a member's change, and of the keys that it revoked.
pub(crate) async fn report(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    user: UserId,
    revoked: &[ApiKeyId],
) -> store::Result<()> {
    events::append(ctx, tx, project, Event::MemberUpdated, user.uuid(), &json!({})).await?;
    for key in revoked {
        events::append(ctx, tx, project, Event::ApiKeyRevoked, key.uuid(), &json!({})).await?;
    }
    Ok(())
}
