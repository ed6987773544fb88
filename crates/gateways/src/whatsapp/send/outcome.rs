//! Outcomes of sends.

use super::super::errors::{ErrorClass, classify, meaning};
use crate::wire;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// docs/spec/reliability.md 6.4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// Meta accepted the message and will send statuses. This does not mean delivered.
    Accepted {
        wamid: String,
        /// The recipient's number at WhatsApp, to be used from now on. Absent for hidden numbers.
        wa_id: Option<String>,
    },
    /// Meta refused the message.
    Refused {
        /// Never [`ErrorClass::Server`], which is [`SendOutcome::Unknown`].
        class: ErrorClass,
        code: Option<i64>,
        http: u16,
        /// Without the token.
        message: String,
        retry_after_ms: Option<i64>,
    },
    /// The message was not sent completely and may be sent again at once.
    NotSent { message: String },
    /// The message may or may not be sent: wait for a status with its tracking token.
    Unknown { message: String },
}

impl SendOutcome {
    /// For logs and metrics, without personal data.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Refused { .. } => "refused",
            Self::NotSent { .. } => "not_sent",
            Self::Unknown { .. } => "unknown",
        }
    }
}

/// Reads a response. `body` is `None` if it is incomplete.
pub(super) fn of_answer(http: u16, headers: &HeaderMap, body: Option<&[u8]>, token: &str) -> SendOutcome {
    let json: Value = body.and_then(|body| serde_json::from_slice(body).ok()).unwrap_or(Value::Null);
    if (200..300).contains(&http) {
        return accepted(&json)
            .unwrap_or_else(|| SendOutcome::Unknown { message: format!("HTTP {http} without a message id") });
    }
    if !(400..600).contains(&http) {
        return SendOutcome::Unknown { message: format!("unexpected HTTP {http}") };
    }
    let error = MetaError::read(&json);
    let class = error.class(http);
    let message = wire::presentable(&error.message(http), Some(token));
    if class == ErrorClass::Server {
        return SendOutcome::Unknown { message };
    }
    SendOutcome::Refused { class, code: error.code, http, message, retry_after_ms: wait_ms(headers) }
}

fn accepted(json: &Value) -> Option<SendOutcome> {
    let wamid = json.pointer("/messages/0/id")?.as_str().filter(|id| !id.is_empty())?.to_owned();
    let wa_id = json.pointer("/contacts/0/wa_id").and_then(Value::as_str).map(str::to_owned);
    Some(SendOutcome::Accepted { wamid, wa_id })
}

/// An error in Meta's form.
pub(in super::super) struct MetaError<'a> {
    pub(in super::super) code: Option<i64>,
    pub(in super::super) subcode: Option<i64>,
    transient: bool,
    text: Option<&'a str>,
    details: Option<&'a str>,
    for_people: Option<&'a str>,
}

impl<'a> MetaError<'a> {
    pub(in super::super) fn read(json: &'a Value) -> Self {
        let at = |key: &str| json.get("error").and_then(|error| error.get(key));
        let number = |key: &str| at(key).and_then(|value| value.as_i64().or_else(|| value.as_str()?.parse().ok()));
        let data = at("error_data");
        Self {
            code: number("code"),
            subcode: number("error_subcode"),
            transient: at("is_transient").and_then(Value::as_bool).unwrap_or(false),
            text: at("message").and_then(Value::as_str),
            details: data.and_then(|data| data.as_str().or_else(|| data.get("details")?.as_str())),
            for_people: at("error_user_msg").and_then(Value::as_str),
        }
    }

    pub(in super::super) fn class(&self, http: u16) -> ErrorClass {
        match (self.code, self.subcode) {
            // The object is missing or not ours: the ids or the token are wrong, not this message.
            (Some(100), Some(33)) => ErrorClass::Config,
            _ => classify(http, self.code, self.transient),
        }
    }

    pub(in super::super) fn message(&self, http: u16) -> String {
        if let Some(text) = self.for_people {
            return text.to_owned();
        }
        let known = self.text.or_else(|| self.code.and_then(meaning));
        match (known, self.details) {
            (Some(text), Some(details)) => format!("{text}: {details}"),
            (Some(text), None) => text.to_owned(),
            (None, Some(details)) => details.to_owned(),
            (None, None) => format!("HTTP {http} without an error of Meta"),
        }
    }
}

pub(in super::super) fn wait_ms(headers: &HeaderMap) -> Option<i64> {
    wire::retry_after_ms(headers).or_else(|| business_use_wait_ms(headers))
}

/// The longest wait in the account's usage header, which counts in minutes.
fn business_use_wait_ms(headers: &HeaderMap) -> Option<i64> {
    let usage: Value = serde_json::from_str(headers.get("x-business-use-case-usage")?.to_str().ok()?).ok()?;
    let minutes = usage
        .as_object()?
        .values()
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(|entry| entry.get("estimated_time_to_regain_access")?.as_i64())
        .max()?;
    (minutes > 0).then(|| minutes.min(24 * 60) * 60_000)
}
