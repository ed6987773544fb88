//! Projects: list, rename, archive and delete, for the operator.

use super::{Operator, OperatorError};
use domain::ids::ProjectId;
use runtime::{context::PLATFORM_PROJECT, jobs};
use store::{
    audit::{self, AuditRow, Filter},
    projects, transact,
};

pub use projects::ProjectRow;

/// Deletions shown at once.
const PAGE: i64 = 1_000;

impl Operator {
    /// All projects, oldest first; at most a thousand.
    pub async fn projects(&self) -> Result<Vec<ProjectRow>, OperatorError> {
        self.migrate().await?;
        let mut reader = self.store.read().await?;
        Ok(projects::list(&mut reader.conn(), PLATFORM_PROJECT).await?)
    }

    /// Renames a project given by id or name.
    pub async fn rename_project(&self, project: &str, name: &str) -> Result<ProjectId, OperatorError> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 120 || name.contains('\0') {
            return Err(OperatorError::BadName);
        }
        self.update_project(project, |row| row.name = name.to_owned()).await
    }

    /// Archives or restores a project given by id or name.
    pub async fn archive_project(&self, project: &str, archived: bool) -> Result<ProjectId, OperatorError> {
        let now = self.clock.now();
        let change = |row: &mut ProjectRow| row.archived_at = archived.then(|| row.archived_at.unwrap_or(now));
        self.update_project(project, change).await
    }

    async fn update_project(
        &self,
        project: &str,
        change: impl Fn(&mut ProjectRow) + Send + Sync,
    ) -> Result<ProjectId, OperatorError> {
        self.migrate().await?;
        let id = self.project(project).await?;
        let (audit, now) = (self.audit_row("project.update", id.to_string())?, self.clock.now());
        transact!(self.store, "project.update", OperatorError, tx => {
            let row = projects::find(tx, id).await?;
            let mut row = row.ok_or_else(|| OperatorError::NoProject(project.to_owned()))?;
            let before = row.name.clone();
            change(&mut row);
            if row.name != before && projects::is_taken(tx, &row.name, [id, PLATFORM_PROJECT]).await? {
                return Err(OperatorError::NameTaken(row.name));
            }
            projects::update(tx, id, &row.name, row.archived_at, now).await?;
            Ok(audit::append(tx, id, &audit).await?)
        })?;
        Ok(id)
    }

    /// Deletes a project given by id, if this is its name. A running server deletes its rows, else the
    /// next one that starts.
    pub async fn delete_project(&self, project: ProjectId, name: &str) -> Result<(), OperatorError> {
        self.migrate().await?;
        let (audit, job) = (self.audit_row("project.delete", project.to_string())?, self.uuid()?);
        let now = self.clock.now();
        transact!(self.store, "project.delete", OperatorError, tx => {
            projects::find(tx, project).await?.ok_or_else(|| OperatorError::NoProject(project.to_string()))?;
            match jobs::begin_project_deletion(tx, project, name, job, &audit, now).await? {
                true => Ok(()),
                false => Err(OperatorError::OtherName(name.to_owned())),
            }
        })
    }

    /// Deletions of projects, latest first; at most a thousand.
    pub async fn deletions(&self) -> Result<Vec<AuditRow>, OperatorError> {
        self.migrate().await?;
        let filter = Filter { action: Some("project.delete".into()), ..Filter::default() };
        let mut reader = self.store.read().await?;
        Ok(audit::page(&mut reader.conn(), PLATFORM_PROJECT, &filter, PAGE, 0).await?.0)
    }
}
