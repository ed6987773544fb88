//! Conversations and WhatsApp numbers.

use crate::words;
use serde::{Deserialize, Serialize};

words! {
    pub enum ConversationStatus {
        Active = "active",
        Ended = "ended",
    }

    /// Kind of a WhatsApp config.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ConfigKind {
        Production = "production",
        Sandbox = "sandbox",
    }

    /// Proof that a config may receive the messages of its number.
    pub enum NumberProof {
        /// It receives nothing.
        Unproved = "unproved",
        /// It receives messages until its check is done: it is older than proofs, or its token was
        /// replaced.
        Assumed = "assumed",
        /// Its token read the number and the business account.
        Proved = "proved",
    }

    /// Reason why a proof failed.
    pub enum ProofFailure {
        NoToken = "no_token",
        /// Meta does not accept the token.
        TokenInvalid = "token_invalid",
        NumberNotReadable = "number_not_readable",
        AccountNotReadable = "account_not_readable",
        /// The number belongs to another business account.
        NotInAccount = "not_in_account",
        /// Another config has proved the number and keeps it.
        NumberTaken = "number_taken",
        /// Meta gave no answer.
        Unreachable = "unreachable",
    }
}

impl NumberProof {
    /// True if messages to the number go to the config.
    pub const fn receives(self) -> bool {
        matches!(self, Self::Assumed | Self::Proved)
    }
}
