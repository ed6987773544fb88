//! Approval of sign-ins by code.

use super::{Operator, OperatorError};
use crate::api::values::email_address;
use domain::{Id, Timestamp, cli_login, event::Event, ids::UserId};
use store::{
    cli_logins::{self, Access},
    transact, users,
};

/// Projects that a sign-in may access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights<'a> {
    /// Every project, also later ones. The user becomes an operator.
    Operator,
    /// These projects, by id or name. The user becomes their member.
    Projects(&'a [String]),
}

/// Origin of a pending sign-in. All texts but the address are the client's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Empty if unknown.
    pub address: String,
    pub user_agent: String,
    /// Name that the client gave itself.
    pub client: String,
    pub at: Timestamp,
}

impl Operator {
    /// Origin of the pending sign-in with this code.
    pub async fn pending_login(&self, code: &str) -> Result<Asked, OperatorError> {
        self.migrate().await?;
        let mut reader = self.store.read().await?;
        let pending = cli_logins::pending(&mut reader.conn(), &cli_login::hash(code), self.clock.now()).await?;
        let pending = pending.ok_or(OperatorError::NoLogin)?;
        let (address, user_agent, client) = (pending.address, pending.user_agent, pending.client);
        Ok(Asked { address, user_agent, client, at: pending.requested_at })
    }

    /// Approves the sign-in with this code for the user of this e-mail address, and creates the
    /// user if absent. The token gets these rights, whatever else the user may do. Returns the user
    /// id, to which conversations are assigned.
    pub async fn approve_login(&self, code: &str, email: &str, rights: Rights<'_>) -> Result<UserId, OperatorError> {
        let email = email_address(email).ok_or_else(|| OperatorError::BadEmail(email.trim().to_lowercase()))?;
        self.migrate().await?;
        let mut projects = Vec::new();
        if let Rights::Projects(wanted) = rights {
            for wanted in wanted {
                projects.push(self.project(wanted).await?);
            }
            if projects.is_empty() {
                return Err(OperatorError::NoAccess);
            }
        }
        let is_operator = rights == Rights::Operator;
        let access = if is_operator { Access::Operator } else { Access::Projects(&projects) };
        let (new_id, now, hash) = (Id::from_uuid(self.uuid()?), self.clock.now(), cli_login::hash(code));
        transact!(self.store, "cli.login.approve", OperatorError, tx => {
            let user = users::ensure(tx, new_id, &email, is_operator, now).await?;
            for project in &projects {
                if users::join(tx, *project, user.id, now).await? {
                    self.event(tx, *project, Event::MemberUpdated, user.id.uuid()).await?;
                }
            }
            if !cli_logins::approve(tx, &hash, user.id, access, now).await? {
                // Also takes back the user's new rights.
                return Err(OperatorError::NoLogin);
            }
            Ok(user.id)
        })
    }
}
