//! API representation of the person who signed in.

use crate::{ApiError, AppState, api::roles::RoleName};
use domain::{
    ids::{ProjectId, UserId},
    role::Role,
};
use runtime::context::PLATFORM_PROJECT;
use serde::Serialize;
use store::{
    projects,
    users::{self, PersonRow},
};
use utoipa::ToSchema;
use uuid::Uuid;

crate::api::words!(Language = "en", "es", "pt-BR");
crate::api::words!(Theme = "system", "light", "dark");

/// The person of the session.
#[derive(Serialize, ToSchema)]
pub(super) struct Me {
    id: Uuid,
    name: String,
    email: String,
    #[schema(value_type = Language)]
    language: String,
    #[schema(value_type = Theme)]
    theme: String,
    /// True if single keys are shortcuts.
    shortcuts: bool,
    /// Operators act as owners of every project.
    is_operator: bool,
    /// Projects that are not archived, by name; at most 1,000.
    projects: Vec<MyProject>,
}

/// A project of the person.
#[derive(Serialize, ToSchema)]
struct MyProject {
    id: Uuid,
    name: String,
    #[schema(value_type = RoleName)]
    role: &'static str,
}

impl MyProject {
    fn of(id: ProjectId, name: String, role: Role) -> Self {
        Self { id: id.uuid(), name, role: role.as_str() }
    }
}

impl Me {
    pub(super) async fn of(ctx: &AppState, user: UserId) -> Result<Self, ApiError> {
        let mut reader = ctx.store.read().await?;
        let mut conn = reader.conn();
        let person = users::person(&mut conn, user).await?.ok_or(ApiError::NoSession)?;
        let projects = if person.is_operator {
            let all = projects::list(&mut conn, PLATFORM_PROJECT).await?;
            let all = all.into_iter().filter(|row| row.archived_at.is_none());
            all.map(|row| MyProject::of(row.id, row.name, Role::Owner)).collect()
        } else {
            let own = users::roles(&mut conn, user).await?;
            let own = own.into_iter().filter(|row| row.archived_at.is_none());
            own.map(|row| MyProject::of(row.id, row.name, row.role)).collect()
        };
        let PersonRow { id, email, name, language, theme, shortcuts, is_operator, .. } = person;
        Ok(Self { id: id.uuid(), name, email, language, theme, shortcuts, is_operator, projects })
    }
}
