//! Authors of messages, notes and assignments.

use crate::ids::{ApiKeyId, ExecutionId, UserId};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The author of an object. As text, it has the form of an actor of the audit log: `key:<id>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum Author {
    /// An agent.
    Execution(ExecutionId),
    User(UserId),
    ApiKey(ApiKeyId),
}

/// A text that names no author.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an author")]
pub struct UnknownAuthor;

impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Execution(id) => write!(f, "execution:{id}"),
            Self::User(id) => write!(f, "user:{id}"),
            Self::ApiKey(id) => write!(f, "key:{id}"),
        }
    }
}

impl FromStr for Author {
    type Err = UnknownAuthor;

    fn from_str(text: &str) -> Result<Self, UnknownAuthor> {
        let (kind, id) = text.split_once(':').ok_or(UnknownAuthor)?;
        let author = match kind {
            "execution" => id.parse().map(Self::Execution),
            "user" => id.parse().map(Self::User),
            "key" => id.parse().map(Self::ApiKey),
            _ => return Err(UnknownAuthor),
        };
        author.map_err(|_| UnknownAuthor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id;
    use uuid::Uuid;

    #[test]
    fn author_reads_back_as_it_was_written() {
        let id = Uuid::from_u128(7);
        let all =
            [Author::Execution(Id::from_uuid(id)), Author::User(Id::from_uuid(id)), Author::ApiKey(Id::from_uuid(id))];
        for author in all {
            assert_eq!(author.to_string().parse(), Ok(author));
            let json = serde_json::to_value(author).unwrap();
            assert_eq!(json["id"], id.to_string());
            assert_eq!(serde_json::from_value::<Author>(json).unwrap(), author);
        }
        for text in ["", "key", "key:", "robot:00000000-0000-0000-0000-000000000007"] {
            assert_eq!(text.parse::<Author>(), Err(UnknownAuthor), "{text}");
        }
    }
}
