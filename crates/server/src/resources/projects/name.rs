//! Names of projects.

use crate::ApiError;
use domain::ids::ProjectId;
use runtime::context::PLATFORM_PROJECT;
use store::{Tx, projects};

/// Refuses a name that another project has: commands find projects by name.
pub(crate) async fn refuse_taken(tx: &mut Tx<'_>, name: &str, id: ProjectId) -> Result<(), ApiError> {
    match projects::is_taken(tx, name, [id, PLATFORM_PROJECT]).await? {
        true => Err(ApiError::invalid("/project/name", "taken", "another project has this name")),
        false => Ok(()),
    }
}
