//! Limits of each project, beside those of each key.
//!
//! A key's limit binds one client. These bind all clients of a project together, so that many keys
//! or sign-ins give no larger share of a node.

use crate::ApiError;
use domain::ids::ProjectId;
use store::{Conn, Tx, api_keys, counters};

/// Limits of a project; 0 means no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectLimits {
    /// Turns under way at once on a node.
    pub turns: usize,
    /// API requests per minute and node.
    pub requests_per_minute: u32,
    /// Open event streams on a node.
    pub streams: usize,
    /// API keys that are not revoked.
    pub keys: u32,
    /// MiB of stored files and versions of agents.
    pub stored_mib: u32,
}

impl ProjectLimits {
    /// Fails if the project has as many keys as it may have.
    pub(crate) async fn allow_key(&self, tx: &mut Tx<'_>, project: ProjectId) -> Result<(), ApiError> {
        if self.keys == 0 || api_keys::count(tx, project).await? < i64::from(self.keys) {
            return Ok(());
        }
        let message = format!("the project has {} keys; revoke one first: chasqui keys revoke ID", self.keys);
        Err(ApiError::state("too_many_api_keys", "Too many API keys", message))
    }

    /// Fails if files and versions of agents of the project would take more than they may with these
    /// bytes. The changes of an open transaction are not counted yet.
    pub(crate) async fn allow_stored(
        &self,
        conn: &mut Conn<'_>,
        project: ProjectId,
        bytes: usize,
    ) -> Result<(), ApiError> {
        let stored = counters::stored_bytes(conn, project).await?.unsigned_abs();
        if self.stored_mib == 0 || stored.saturating_add(bytes as u64) <= u64::from(self.stored_mib) << 20 {
            return Ok(());
        }
        let message = format!(
            "the project's files and versions of agents would take more than {} MiB, which is its limit",
            self.stored_mib
        );
        Err(ApiError::state("storage_full", "Storage is full", message))
    }
}
