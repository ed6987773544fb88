//! People: invitations, members and passwords, for the operator.

use super::{Operator, OperatorError, random_bytes};
use crate::{
    api::values::email_address,
    auth::{INVITATION_LIFETIME, RESET_LIFETIME, token_hash},
};
use domain::{Id, event::Event, ids::ProjectId, role::Role};
use store::{
    Tx, api_keys,
    audit::{self, AuditRow},
    events,
    invitations::{self, InvitationRow},
    members, sessions, transact, users,
};
use uuid::Uuid;

/// Users read at a time.
const PAGE: i64 = 500;

/// A person who can or could sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub email: String,
    pub name: String,
    pub is_operator: bool,
    pub has_password: bool,
    /// Names of projects, with the role in each.
    pub projects: Vec<(String, Role)>,
}

impl Operator {
    /// Invites a person to a project given by id or name. Returns the token of the link, which is
    /// valid for 7 days.
    pub async fn invite(&self, email: &str, project: &str, role: Role) -> Result<String, OperatorError> {
        let email = email_address(email).ok_or_else(|| OperatorError::BadEmail(email.to_owned()))?;
        self.migrate().await?;
        let project = self.project(project).await?;
        let (token, hash) = token()?;
        let now = self.clock.now();
        let row = InvitationRow {
            project_id: project,
            id: Id::from_uuid(self.uuid()?),
            email,
            role,
            by_operator: true,
            created_by: "operator".into(),
            created_at: now,
            expires_at: now + INVITATION_LIFETIME,
        };
        let audit = self.audit_row("invitation.create", row.id.to_string())?;
        transact!(self.store, "invitation.create", tx => {
            invitations::insert(tx, project, &row, &hash).await?;
            audit::append(tx, project, &audit).await
        })?;
        Ok(token)
    }

    /// All users, by e-mail address.
    pub async fn people(&self) -> Result<Vec<Person>, OperatorError> {
        self.migrate().await?;
        let mut people: Vec<Person> = Vec::new();
        let mut after = String::new();
        loop {
            let mut reader = self.store.read().await?;
            let mut conn = reader.conn();
            let rows = users::people(&mut conn, &after, PAGE).await?;
            let Some(last) = rows.last() else { return Ok(people) };
            after = last.email.clone();
            for row in rows {
                let roles = users::roles(&mut conn, row.id).await?;
                people.push(Person {
                    email: row.email,
                    name: row.name,
                    is_operator: row.is_operator,
                    has_password: row.password.is_some(),
                    projects: roles.into_iter().map(|role| (role.name, role.role)).collect(),
                });
            }
        }
    }

    /// Makes a link with which a person chooses a new password. Returns its token, valid for a day.
    /// The sessions end when it is used.
    pub async fn reset_password(&self, email: &str) -> Result<String, OperatorError> {
        self.migrate().await?;
        let user = self.person(email).await?.id;
        let (token, hash) = token()?;
        let now = self.clock.now();
        transact!(self.store, "user.reset", tx => {
            sessions::insert_reset(tx, &hash, user, now + RESET_LIFETIME, now).await
        })?;
        Ok(token)
    }

    /// Removes a member from a project, and revokes the keys that the person created in it.
    pub async fn remove_member(&self, email: &str, project: &str) -> Result<ProjectId, OperatorError> {
        self.migrate().await?;
        let (project, person) = (self.project(project).await?, self.person(email).await?);
        let audit = self.audit_row("member.remove", person.id.to_string())?;
        let now = self.clock.now();
        transact!(self.store, "member.remove", OperatorError, tx => {
            if members::is_last_owner(tx, project, person.id).await? {
                return Err(OperatorError::LastOwner(person.email.clone()));
            }
            if !members::remove(tx, project, person.id).await? {
                return Err(OperatorError::NoMember(person.email.clone()));
            }
            let revoked = api_keys::revoke_of_user(tx, project, person.id, None, now).await?;
            self.event(tx, project, Event::MemberUpdated, person.id.uuid()).await?;
            for key in revoked {
                self.event(tx, project, Event::ApiKeyRevoked, key.uuid()).await?;
            }
            Ok(audit::append(tx, project, &audit).await?)
        })?;
        Ok(project)
    }

    async fn person(&self, email: &str) -> Result<users::PersonRow, OperatorError> {
        let missing = || OperatorError::NoUser(email.to_owned());
        let address = email_address(email).ok_or_else(missing)?;
        let mut reader = self.store.read().await?;
        users::person_of(&mut reader.conn(), &address).await?.ok_or_else(missing)
    }

    /// Appends an event for the live feed.
    pub(super) async fn event(
        &self,
        tx: &mut Tx<'_>,
        project: ProjectId,
        event: Event,
        object: Uuid,
    ) -> Result<(), OperatorError> {
        let (id, now) = (self.uuid()?, self.clock.now());
        Ok(events::append(&mut tx.scope(project, now), id, event, object, "{}").await?)
    }

    pub(super) fn audit_row(&self, action: &str, target: String) -> Result<AuditRow, OperatorError> {
        let (id, at) = (self.uuid()?, self.clock.now());
        Ok(AuditRow { id, at, actor: "operator".into(), action: action.into(), target, request_id: String::new() })
    }
}

/// A random token of a link, and its stored hash.
fn token() -> Result<(String, [u8; 32]), OperatorError> {
    let mut random = [0; 32];
    random_bytes(&mut random)?;
    let token: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let hash = token_hash(&token);
    Ok((token, hash))
}
