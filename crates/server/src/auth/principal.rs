//! The author of a request: an API key, or a person with a session.

use domain::{
    author::Author,
    ids::{ApiKeyId, SessionId, UserId},
    message::MessageOrigin,
    role::Role,
};
use uuid::Uuid;

/// Author of a request in a project. Limits, streams, idempotency and audit take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Principal {
    Key {
        id: ApiKeyId,
        /// None: all rights of the project.
        role: Option<Role>,
        /// User who created the key, if a signed-in user did.
        user: Option<UserId>,
    },
    Person {
        user: UserId,
        session: SessionId,
        /// In the request's project.
        role: Role,
    },
}

impl Principal {
    pub(crate) fn role(self) -> Role {
        match self {
            Self::Key { role, .. } => role.unwrap_or(Role::Owner),
            Self::Person { role, .. } => role,
        }
    }

    /// The person, or the user who created the key.
    pub(crate) const fn user(self) -> Option<UserId> {
        match self {
            Self::Key { user, .. } => user,
            Self::Person { user, .. } => Some(user),
        }
    }

    /// Key or session, whose requests and streams are counted together.
    pub(crate) const fn id(self) -> Uuid {
        match self {
            Self::Key { id, .. } => id.uuid(),
            Self::Person { session, .. } => session.uuid(),
        }
    }

    pub(super) const fn author(self) -> Author {
        match self {
            Self::Key { id, .. } => Author::ApiKey(id),
            Self::Person { user, .. } => Author::User(user),
        }
    }

    pub(crate) const fn origin(self) -> MessageOrigin {
        match self {
            Self::Key { .. } => MessageOrigin::Api,
            Self::Person { .. } => MessageOrigin::Person,
        }
    }

    /// Actor in the audit log.
    pub(crate) fn actor(self) -> String {
        match self {
            Self::Key { id, .. } => format!("key:{id}"),
            Self::Person { user, .. } => format!("user:{user}"),
        }
    }

    /// Stored form of an `Idempotency-Key`: a project's keys share one space, as a retry may come
    /// after a rotation; each person has one of their own.
    pub(super) fn scoped(self, key: String) -> String {
        match self {
            Self::Key { .. } => key,
            Self::Person { user, .. } => format!("user:{user}:{key}"),
        }
    }
}
