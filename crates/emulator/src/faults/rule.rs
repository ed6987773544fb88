//! One fault rule as a caller writes it: when it applies, how often, and what it does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Longest delay a rule may ask for.
const LONGEST_MS: u64 = 30 * 24 * 3_600_000;
/// Most copies a rule may ask for.
const MOST_COPIES: u32 = 100;

/// A rule before it has an id and counters.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRule {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    pub(crate) when: When,
    #[serde(default)]
    pub(crate) trigger: Trigger,
    pub(crate) r#do: Action,
}

/// Every field given must match.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct When {
    pub(crate) surface: Surface,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) phone_number_id: Option<String>,
    /// The person: key, phone number or business-scoped id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) r#type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) template: Option<String>,
    /// `message`, `status`, `status:<name>` or `template`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) event: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
}

/// Where a rule applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Surface {
    Send,
    MediaUpload,
    MediaGet,
    MediaBytes,
    Templates,
    AnyGraph,
    Webhook,
}

/// Which of the matching events a rule takes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Trigger {
    #[default]
    Always,
    /// The next this many.
    Next(u64),
    /// Each this-manieth.
    Every(u64),
    /// By a seeded die.
    Probability(f64),
    /// From the first to before the second, Unix milliseconds of the emulator's clock.
    Between(u64, u64),
}

/// What a rule does. The first group is for Graph surfaces, the second for webhooks.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    /// Answer with an error before anything is processed.
    Error(ErrorSpec),
    /// Answer nothing for a while, then cut the connection; nothing is processed.
    Hang { ms: u64 },
    /// Cut the connection before anything is processed.
    Drop,
    /// Process the call, then cut the connection instead of answering.
    AcceptThenDrop,
    /// Process the call, then answer with an error all the same.
    AcceptThenError(ErrorSpec),
    /// Process the call and answer late.
    Slow { ms: u64 },
    /// Process the call and cut the answer's body after so many bytes; for webhooks, cut the body that was signed. Half of
    /// it when no number is given.
    Truncate {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bytes: Option<usize>,
    },
    /// Process the call and answer what is no JSON.
    BadJson,
    /// Accept the message and report it as failed later.
    StatusFail { code: u32 },
    /// Accept the message as held for a quality assessment; its course begins this much later.
    Hold { ms: u64 },

    /// Send the same bytes `n` times in all; `gap_ms: 0` sends them at the same moment.
    Duplicate {
        n: u32,
        #[serde(default)]
        gap_ms: u64,
    },
    /// Send it later.
    Delay { ms: u64 },
    /// Never send it.
    Lose,
    /// Keep it until the next one has left.
    Swap,
    /// Collect this many into one body; an incomplete one leaves after a second.
    Batch { n: u32 },
    /// Put things that nobody knows between what is known.
    InterleaveUnknown,

    /// Sign with a wrong key.
    BadSignature,
    /// Send no signature.
    NoSignature,
    /// Report `delivered` before `sent`.
    ReverseStatuses,
    /// Deliver `sent` first, wait, and only then answer the send.
    StatusBeforeResponse {
        #[serde(default)]
        ms: u64,
    },
}

/// Which error to answer: `"token_expired"`, or a code with details.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum ErrorSpec {
    Preset(Preset),
    Raw(RawError),
}

/// Errors with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Preset {
    TokenExpired,
    Throughput,
    PairRate,
    WabaRate,
    #[serde(rename = "server_500")]
    Server500,
    #[serde(rename = "unavailable_503")]
    Unavailable503,
    #[serde(rename = "html_502")]
    Html502,
    NotRegistered,
    PolicyBlock,
}

/// An error by its code; what is not given comes from the error table.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawError {
    pub(crate) code: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) http: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subcode: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) details: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) headers: BTreeMap<String, String>,
}

impl Action {
    /// Decided when a webhook is queued; the other webhook actions are decided at the send.
    pub(crate) fn changes_a_webhook(&self) -> bool {
        matches!(
            self,
            Self::Duplicate { .. }
                | Self::Delay { .. }
                | Self::Lose
                | Self::BadSignature
                | Self::NoSignature
                | Self::Swap
                | Self::Batch { .. }
                | Self::InterleaveUnknown
                | Self::Truncate { .. }
        )
    }

    pub(crate) fn changes_status_order(&self) -> bool {
        matches!(self, Self::ReverseStatuses | Self::StatusBeforeResponse { .. })
    }

    /// Decided when a Graph call comes in.
    pub(crate) fn changes_a_call(&self) -> bool {
        matches!(self, Self::Truncate { .. }) || !self.is_for_webhooks()
    }

    fn is_for_webhooks(&self) -> bool {
        self.changes_a_webhook() || self.changes_status_order()
    }
}

/// Where a body of this length is cut.
pub(crate) fn cut_at(length: usize, bytes: Option<usize>) -> usize {
    bytes.unwrap_or(length / 2).min(length)
}

impl NewRule {
    /// Refuse what parses and means nothing. The error is for the caller.
    pub(crate) fn check(&self) -> Result<(), String> {
        let for_webhooks = self.when.surface == Surface::Webhook;
        let for_both = matches!(self.r#do, Action::Truncate { .. });
        if !for_both && self.r#do.is_for_webhooks() != for_webhooks {
            let wanted = if for_webhooks { "webhooks" } else { "Graph calls" };
            return Err(format!("`do` is not something that happens to {wanted}"));
        }
        match &self.r#do {
            Action::Duplicate { n, .. } if !(2..=MOST_COPIES).contains(n) => {
                return Err(format!("duplicate.n counts all copies: 2 to {MOST_COPIES}"));
            }
            Action::Batch { n } if !(2..=MOST_COPIES).contains(n) => {
                return Err(format!("batch.n is 2 to {MOST_COPIES}"));
            }
            Action::Hang { ms }
            | Action::Hold { ms }
            | Action::Slow { ms }
            | Action::Delay { ms }
            | Action::Duplicate { gap_ms: ms, .. }
            | Action::StatusBeforeResponse { ms }
                if *ms > LONGEST_MS =>
            {
                return Err(format!("at most {LONGEST_MS} ms"));
            }
            Action::Error(ErrorSpec::Raw(raw)) if raw.http.is_some_and(|h| !(400..600).contains(&h)) => {
                return Err("error.http must be 400 to 599".to_owned());
            }
            _ => {}
        }
        match self.trigger {
            Trigger::Every(0) => Err("trigger.every must be at least 1".to_owned()),
            Trigger::Probability(p) if !(0.0..=1.0).contains(&p) => {
                Err("trigger.probability must be between 0 and 1".to_owned())
            }
            _ => Ok(()),
        }
    }
}
