//! API keys of all projects: list, rotate and revoke.

use super::{Operator, OperatorError};
use domain::{
    Id, Span, Timestamp,
    event::Event,
    ids::{ApiKeyId, ProjectId},
    role::Role,
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
    /// Empty if none was given.
    pub name: String,
    /// None: all rights of the project.
    pub role: Option<Role>,
    /// E-mail address of the user who created it; none if it was the operator.
    pub created_by: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// A minute old at most; none if the key was never used.
    pub last_used_at: Option<Timestamp>,
}

/// A new key in place of another one.
#[derive(Debug, Clone)]
pub struct Rotated {
    pub project: ProjectId,
    pub id: ApiKeyId,
    /// The secret, shown this once.
    pub key: String,
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
                keys.push(Key {
                    id: row.id,
                    project: row.project_id,
                    project_name,
                    prefix: format!("chq_{}", row.lookup),
                    name: row.name,
                    role: row.role,
                    created_by,
                    created_at: row.created_at,
                    expires_at: row.expires_at,
                    last_used_at: row.last_used_at,
                });
            }
        }
    }

    /// Revokes a key: requests with it are refused from now on. Returns its project, and `false` if
    /// it was revoked before.
    pub async fn revoke_key(&self, id: ApiKeyId) -> Result<(ProjectId, bool), OperatorError> {
        let project = self.project_of_key(id).await?;
        let (row_id, now) = (self.uuid()?, self.clock.now());
        let revoked = transact!(self.store, "key.revoke", OperatorError, tx => {
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
                self.event(tx, project, Event::ApiKeyRevoked, id.uuid()).await?;
            }
            Ok(revoked)
        })?;
        Ok((project, revoked))
    }

    /// Replaces a key by a new one with its name, role and lifetime. The old one stays valid for
    /// `overlap`.
    pub async fn rotate_key(&self, id: ApiKeyId, overlap: Span) -> Result<Rotated, OperatorError> {
        let project = self.project_of_key(id).await?;
        let (key, new_id, now) = (self.new_key()?, Id::from_uuid(self.uuid()?), self.clock.now());
        let audit = self.audit_row("key.rotate", id.to_string())?;
        transact!(self.store, "key.rotate", OperatorError, tx => {
            if !api_keys::rotate(tx, project, id, (new_id, &key), None, overlap, now).await? {
                return Err(OperatorError::NoKey(id));
            }
            if overlap == Span::ZERO {
                self.event(tx, project, Event::ApiKeyRevoked, id.uuid()).await?;
            }
            Ok(audit::append(tx, project, &audit).await?)
        })?;
        Ok(Rotated { project, id: new_id, key: key.text })
    }

    async fn project_of_key(&self, id: ApiKeyId) -> Result<ProjectId, OperatorError> {
        self.migrate().await?;
        let mut reader = self.store.read().await?;
        let project = unscoped::project_of_key(&mut reader.conn(), id).await?;
        project.filter(|project| *project != PLATFORM_PROJECT).ok_or(OperatorError::NoKey(id))
    }
}
