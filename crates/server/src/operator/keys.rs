//! API keys of all projects: list and revoke.

use super::{Operator, OperatorError};
use domain::{
    Id, Timestamp,
    ids::{ApiKeyId, ProjectId},
};
use runtime::context::PLATFORM_PROJECT;
use store::{
    api_keys,
    audit::{self, AuditRow},
    projects, transact, unscoped, users,
};
use uuid::Uuid;

/// Keys read at a time.
const PAGE: i64 = 500;

/// A key that is not revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub id: ApiKeyId,
    pub project: ProjectId,
    pub project_name: String,
    /// First part of the key, which is no secret.
    pub prefix: String,
    /// E-mail address of the user who created it; none if it was the operator.
    pub created_by: Option<String>,
    pub created_at: Timestamp,
}

impl Operator {
    /// Valid keys of a project given by id or name, or of all projects, in the order of project and
    /// age.
    pub async fn keys(&self, project: Option<&str>) -> Result<Vec<Key>, OperatorError> {
        self.migrate().await?;
        let project = match project {
            Some(wanted) => Some(self.project(wanted).await?),
            None => None,
        };
        let mut keys: Vec<Key> = Vec::new();
        let mut after = (Id::from_uuid(Uuid::nil()), Id::from_uuid(Uuid::nil()));
        loop {
            let mut reader = self.store.read().await?;
            let mut conn = reader.conn();
            let rows = match project {
                Some(project) => api_keys::list(&mut conn, project, after.1, PAGE).await?,
                None => unscoped::api_keys(&mut conn, after, PAGE).await?,
            };
            let Some(last) = rows.last() else { return Ok(keys) };
            after = (last.project_id, last.id);
            for row in rows {
                let project_name = match keys.last() {
                    Some(before) if before.project == row.project_id => before.project_name.clone(),
                    _ => projects::find(&mut conn, row.project_id).await?.map(|row| row.name).unwrap_or_default(),
                };
                let created_by = match row.user_id {
                    Some(user) => users::find(&mut conn, user).await?.map(|user| user.email),
                    None => None,
                };
                let (id, project, prefix) = (row.id, row.project_id, format!("chq_{}", row.lookup));
                keys.push(Key { id, project, project_name, prefix, created_by, created_at: row.created_at });
            }
        }
    }

    /// Revokes a key: requests with it are refused from now on. Returns its project, and `false` if
    /// it was revoked before.
    pub async fn revoke_key(&self, id: ApiKeyId) -> Result<(ProjectId, bool), OperatorError> {
        self.migrate().await?;
        let project = {
            let mut reader = self.store.read().await?;
            unscoped::project_of_key(&mut reader.conn(), id).await?
        };
        let project = project.filter(|project| *project != PLATFORM_PROJECT).ok_or(OperatorError::NoKey(id))?;
        let (row_id, now) = (self.uuid()?, self.clock.now());
        let revoked = transact!(self.store, "key.revoke", tx => {
            let revoked = api_keys::revoke(tx, project, id, now).await?;
            if revoked {
                let row = AuditRow {
                    id: row_id,
                    at: now,
                    actor: "operator".into(),
                    action: "key.revoke".into(),
                    target: id.to_string(),
                    request_id: String::new(),
                };
                audit::append(tx, project, &row).await?;
            }
            store::Result::Ok(revoked)
        })?;
        Ok((project, revoked))
    }
}
