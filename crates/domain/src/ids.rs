//! Typed identifiers: an `AgentId` is not a `ProjectId`.
//! All are UUIDs; new ones are version 7, made by the server from its clock and random source, so
//! they sort by time. No id is made from the system's clock or randomness here.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, hash, marker::PhantomData, str::FromStr};
use uuid::Uuid;

/// The id of one kind of thing.
pub struct Id<T> {
    uuid: Uuid,
    kind: PhantomData<fn() -> T>,
}

/// The text is not a UUID in its usual hyphenated form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID")]
pub struct MalformedId;

impl<T> Id<T> {
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self { uuid, kind: PhantomData }
    }

    pub const fn uuid(self) -> Uuid {
        self.uuid
    }
}

impl<T> From<Uuid> for Id<T> {
    fn from(uuid: Uuid) -> Self {
        Self::from_uuid(uuid)
    }
}
impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.uuid.cmp(&other.uuid)
    }
}
impl<T> hash::Hash for Id<T> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.uuid, f)
    }
}
impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.uuid, f)
    }
}
impl<T> FromStr for Id<T> {
    type Err = MalformedId;

    /// Accepts the hyphenated form only, in either case; braces, URNs and bare hex are rejected.
    fn from_str(text: &str) -> Result<Self, MalformedId> {
        if text.len() != 36 {
            return Err(MalformedId);
        }
        Uuid::try_parse(text).map(Self::from_uuid).map_err(|_| MalformedId)
    }
}
impl<T> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.uuid)
    }
}
impl<'de, T> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Uuid::deserialize(deserializer).map(Self::from_uuid)
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $marker:ident => $alias:ident),* $(,)?) => {$(
        $(#[$doc])*
        pub enum $marker {}
        $(#[$doc])*
        pub type $alias = Id<$marker>;
    )*};
}

kinds! {
    /// A tenant: everything else belongs to one.
    Project => ProjectId,
    /// An API key.
    ApiKey => ApiKeyId,
    /// An agent, whose graph may change.
    Agent => AgentId,
    /// An immutable state of an agent, pinned by executions.
    Snapshot => SnapshotId,
    /// One run of an agent.
    Execution => ExecutionId,
    /// A conversation between one business number and one contact.
    Conversation => ConversationId,
    /// That a person has taken a conversation over.
    Assignment => AssignmentId,
    /// A person on WhatsApp.
    Contact => ContactId,
    /// A message in either direction.
    Message => MessageId,
    /// A row of the outbox: one intended send.
    Outbox => OutboxId,
    /// A connected WhatsApp business number.
    WhatsappConfig => WhatsappConfigId,
    /// A message template.
    WhatsappTemplate => WhatsappTemplateId,
    /// One pull of an account's templates.
    TemplateSync => TemplateSyncId,
    /// A customer of the project.
    Customer => CustomerId,
    /// A note on a contact.
    ContactNote => ContactNoteId,
    /// The link between an agent and a number that it answers on.
    AgentWhatsappConfig => AgentWhatsappConfigId,
    /// A person who signs in.
    User => UserId,
    /// A person's session in a browser.
    Session => SessionId,
    /// An invitation to a project.
    Invitation => InvitationId,
    /// A link with which a customer connects a number.
    SetupLink => SetupLinkId,
    /// A sandbox session.
    SandboxSession => SandboxSessionId,
    /// Test cases of an agent.
    TestSuite => TestSuiteId,
    /// A script for a simulated user, and a rubric.
    TestCase => TestCaseId,
    /// One judged run of a test case.
    TestRun => TestRunId,
    /// A conversation in test mode.
    TestChat => TestChatId,
    /// A rest of a test chat, which can be taken up again.
    Checkpoint => CheckpointId,
    /// An encrypted secret.
    Secret => SecretId,
    /// A server of language models with a project's own key.
    ModelProvider => ModelProviderId,
    /// A receiver of outgoing webhooks.
    HookEndpoint => HookEndpointId,
    /// An event that outgoing webhooks report.
    HookEvent => HookEventId,
    /// One event, or one batch, for one endpoint.
    HookDelivery => HookDeliveryId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        let text = "0197a1b2-0000-7000-8000-000000000001";
        assert_eq!(text.parse::<AgentId>().unwrap().to_string(), text);
        for odd in [
            "",
            "x",
            "0197a1b2000070008000000000000001",
            "{0197a1b2-0000-7000-8000-000000000001}",
            "0197a1b2-0000-7000-8000-00000000000g",
        ] {
            assert!(odd.parse::<AgentId>().is_err(), "{odd:?}");
        }
    }
}
