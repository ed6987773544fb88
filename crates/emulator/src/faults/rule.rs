//! Definition of a fault rule: conditions, trigger and action.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Longest delay of a rule.
const MAX_MS: u64 = 30 * 24 * 3_600_000;
/// Largest number of copies of a rule.
const MAX_COPIES: u32 = 100;

/// A rule as the control API receives it.
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

/// Conditions. Every given field must match.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct When {
    pub(crate) surface: Surface,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) phone_number_id: Option<String>,
    /// Recipient: key, phone number or business-scoped id.
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

/// Calls or webhooks that a rule applies to.
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

/// Selection among the matching events.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Trigger {
    #[default]
    Always,
    /// The next `n` events.
    Next(u64),
    /// Every `n`-th event.
    Every(u64),
    /// Chosen at random, from the seed.
    Probability(f64),
    /// From the first time to before the second, in Unix milliseconds of the emulator's clock.
    Between(u64, u64),
}

/// Effect of a rule. The first group is for Graph calls, the second for webhooks.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    /// Answer with an error instead of processing the call.
    Error(ErrorSpec),
    /// Wait, then cut the connection; the call is not processed.
    Hang { ms: u64 },
    /// Cut the connection without processing the call.
    Drop,
    /// Process the call, then cut the connection instead of answering.
    AcceptThenDrop,
    /// Process the call, then answer with an error.
    AcceptThenError(ErrorSpec),
    /// Process the call and answer late.
    Slow { ms: u64 },
    /// Process the call and truncate the answer's body to `bytes`, or to half of it. For webhooks,
    /// truncate the body after signing.
    Truncate {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bytes: Option<usize>,
    },
    /// Process the call and answer with invalid JSON.
    BadJson,
    /// Accept the message and report it as failed later.
    StatusFail { code: u32 },
    /// Accept the message as held for a quality assessment; its statuses begin `ms` later.
    Hold { ms: u64 },

    /// Send the same bytes `n` times in total; `gap_ms: 0` sends them at the same time.
    Duplicate {
        n: u32,
        #[serde(default)]
        gap_ms: u64,
    },
    /// Send it later.
    Delay { ms: u64 },
    /// Never send it.
    Lose,
    /// Hold it back until the next one is sent.
    Swap,
    /// Collect `n` into one body; an incomplete batch is sent after a second.
    Batch { n: u32 },
    /// Insert unknown fields and items between the known ones.
    InterleaveUnknown,

    /// Sign with a wrong key.
    BadSignature,
    /// Send no signature.
    NoSignature,
    /// Report `delivered` before `sent`.
    ReverseStatuses,
    /// Deliver `sent`, wait, then answer the send.
    StatusBeforeResponse {
        #[serde(default)]
        ms: u64,
    },
}

/// Error of a rule: a preset such as `"token_expired"`, or a code with details.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum ErrorSpec {
    Preset(Preset),
    Raw(RawError),
}

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

/// Error by code. Absent fields come from the error table.
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
    /// True for actions that are decided when a webhook is queued. The other webhook actions are
    /// decided at the send.
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

    /// True for actions that are decided when a Graph call arrives.
    pub(crate) fn changes_a_call(&self) -> bool {
        matches!(self, Self::Truncate { .. }) || !self.is_for_webhooks()
    }

    fn is_for_webhooks(&self) -> bool {
        self.changes_a_webhook() || self.changes_status_order()
    }
}

/// Length to which a body is truncated.
pub(crate) fn cut_at(length: usize, bytes: Option<usize>) -> usize {
    bytes.unwrap_or(length / 2).min(length)
}

impl NewRule {
    /// Refuses rules that parse but have no meaning. The error is the message of the answer.
    pub(crate) fn check(&self) -> Result<(), String> {
        let for_webhooks = self.when.surface == Surface::Webhook;
        let for_both = matches!(self.r#do, Action::Truncate { .. });
        if !for_both && self.r#do.is_for_webhooks() != for_webhooks {
            let wanted = if for_webhooks { "webhooks" } else { "Graph calls" };
            return Err(format!("`do` is not an action for {wanted}"));
        }
        match &self.r#do {
            Action::Duplicate { n, .. } if !(2..=MAX_COPIES).contains(n) => {
                return Err(format!("duplicate.n counts all copies and must be 2 to {MAX_COPIES}"));
            }
            Action::Batch { n } if !(2..=MAX_COPIES).contains(n) => {
                return Err(format!("batch.n must be 2 to {MAX_COPIES}"));
            }
            Action::Hang { ms }
            | Action::Hold { ms }
            | Action::Slow { ms }
            | Action::Delay { ms }
            | Action::Duplicate { gap_ms: ms, .. }
            | Action::StatusBeforeResponse { ms }
                if *ms > MAX_MS =>
            {
                return Err(format!("the delay must be at most {MAX_MS} ms"));
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
