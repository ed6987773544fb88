//! Graph API errors. One table holds code, HTTP status and text. Meta changes them, so they are
//! nowhere else in the crate.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::faults::{ErrorSpec, Preset};

/// Code, HTTP status, text, default details.
const TABLE: &[(u32, u16, &str, Option<&str>)] = &[
    (0, 401, "Authentication failed", None),
    (1, 400, "An unknown error occurred", None),
    (2, 503, "Service temporarily unavailable", None),
    (3, 500, "Application does not have the capability to make this API call", None),
    (4, 400, "Application request limit reached", None),
    (10, 403, "Application does not have permission for this action", None),
    (33, 400, "Parameter value is not valid", None),
    (100, 400, "Invalid parameter", None),
    (190, 401, "Error validating access token: Session has expired", None),
    (200, 403, "Permissions error", None),
    (368, 403, "Temporarily blocked for policies violations", None),
    (613, 400, "Calls to this api have exceeded the rate limit", None),
    (2500, 404, "Unknown path components", None),
    (80_007, 400, "Rate limit issues", Some("The WhatsApp Business Account has reached its rate limit.")),
    (130_429, 429, "Rate limit hit", Some("Cloud API message throughput has been reached.")),
    (130_472, 400, "User's number is part of an experiment", None),
    (130_497, 403, "Business account is restricted from messaging users in this country", None),
    (131_000, 500, "Something went wrong", None),
    (131_005, 403, "Access denied", None),
    (131_008, 400, "Required parameter is missing", None),
    (131_009, 400, "Parameter value is not valid", None),
    (131_016, 500, "Service unavailable", Some("A service is temporarily unavailable.")),
    (131_021, 400, "Recipient cannot be sender", Some("The recipient's phone number is the sender's own.")),
    (131_026, 400, "Message undeliverable", Some("Message undeliverable.")),
    (
        131_030,
        400,
        "Recipient phone number not in allowed list",
        Some("Recipient phone number not in allowed list: Add recipient phone number to recipient list and try again."),
    ),
    (131_031, 403, "Business account locked", None),
    (131_037, 400, "Display name approval needed", None),
    (131_042, 400, "Business eligibility payment issue", None),
    (131_045, 500, "Incorrect certificate", None),
    (
        131_047,
        400,
        "Re-engagement message",
        Some(
            "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
        ),
    ),
    (131_048, 400, "Spam rate limit hit", None),
    (131_049, 400, "Meta chose not to deliver", None),
    (131_050, 400, "User has stopped receiving marketing messages", None),
    (131_051, 400, "Unsupported message type", None),
    (131_052, 400, "Media download error", None),
    (131_053, 400, "Media upload error", None),
    (
        131_056,
        400,
        "(Business Account, Consumer Account) pair rate limit hit",
        Some(
            "Message failed to send because there were too many messages sent from this phone number to the same phone number in a short period of time.",
        ),
    ),
    (131_057, 500, "Account in maintenance mode", None),
    (
        131_062,
        400,
        "Business-scoped User ID (BSUID) recipients are not supported for this message.",
        Some("Authentication templates need a phone number."),
    ),
    (132_000, 400, "Number of parameters does not match the expected number of params", None),
    (132_001, 404, "Template name does not exist in the translation", None),
    (132_005, 400, "Translated text too long", None),
    (132_012, 400, "Parameter format does not match format in the created template", None),
    (
        132_015,
        400,
        "Template is Paused",
        Some("Template is paused due to low quality so it cannot be sent in a template message."),
    ),
    (132_016, 400, "Template is Disabled", None),
    (132_018, 400, "There was an issue with the parameters in the template", None),
    (133_005, 400, "Two step verification PIN mismatch", Some("The two-step verification PIN is incorrect.")),
    (133_004, 503, "Server is temporarily unavailable", None),
    (
        133_010,
        400,
        "Phone number not registered",
        Some("Phone number not registered on the Whatsapp Business Platform."),
    ),
    (135_000, 400, "Generic user error", None),
];

const USAGE: &str = "X-Business-Use-Case-Usage";
const HELP: &str = "https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes";

/// Error answer to a Graph call.
#[derive(Debug, Clone)]
pub(crate) struct GraphError {
    pub(crate) code: u32,
    pub(crate) http: u16,
    subcode: Option<u32>,
    message: String,
    kind: &'static str,
    details: Option<String>,
    /// Repeats the details as `error_user_msg`.
    user_message: bool,
    pub(crate) headers: BTreeMap<String, String>,
}

impl GraphError {
    /// Error with the text and details of the table.
    pub(crate) fn new(code: u32) -> Self {
        let row = TABLE.iter().find(|row| row.0 == code);
        let (_, http, text, details) = row.copied().unwrap_or((code, 400, "Unknown error", None));
        // Meta's token errors have no code in their text.
        let message = if code == 190 { text.to_owned() } else { format!("(#{code}) {text}") };
        let mut headers = BTreeMap::new();
        if code == 130_429 {
            headers.insert("Retry-After".to_owned(), "1".to_owned());
        }
        Self {
            code,
            http,
            subcode: None,
            message,
            kind: "OAuthException",
            details: details.map(str::to_owned),
            user_message: false,
            headers,
        }
    }

    pub(crate) fn with(code: u32, details: impl Into<String>) -> Self {
        Self { details: Some(details.into()), ..Self::new(code) }
    }

    /// Unknown token.
    pub(crate) fn bad_token() -> Self {
        Self { message: "Invalid OAuth access token - Cannot parse access token".to_owned(), ..Self::new(190) }
    }

    pub(crate) fn expired_token() -> Self {
        Self { subcode: Some(463), ..Self::new(190) }
    }

    /// Code of a sign-up that cannot be exchanged.
    pub(crate) fn refused_code(subcode: u32, details: &str) -> Self {
        Self { subcode: Some(subcode), ..Self::with(100, details) }
    }

    /// Token without the needed scope.
    pub(crate) fn no_permission(scope: &str) -> Self {
        Self::with(200, format!("The token has no permission {scope}."))
    }

    /// Template that is refused before review.
    pub(crate) fn template(subcode: Option<u32>, details: impl Into<String>) -> Self {
        Self { subcode, user_message: true, ..Self::with(100, details) }
    }

    /// No approved template with this name and language.
    pub(crate) fn missing_template(name: &str, language: &str) -> Self {
        Self::with(132_001, format!("template name ({name}) does not exist in {language}"))
    }

    /// Wrong number of template parameters.
    pub(crate) fn wrong_count(what: &str, given: usize, wanted: usize) -> Self {
        let details = format!(
            "{what}: number of localizable_params ({given}) does not match the expected number of params ({wanted})"
        );
        Self::with(132_000, details)
    }

    /// Callback that failed the handshake.
    pub(crate) fn handshake(problem: &str) -> Self {
        Self {
            message: "(#2200) Callback verification failed".to_owned(),
            ..Self::with(2200, format!("Callback verification failed: {problem}."))
        }
    }

    pub(crate) fn too_large() -> Self {
        Self { http: 413, ..Self::with(100, "The body is too large.") }
    }

    /// Unknown object in the path.
    pub(crate) fn no_object() -> Self {
        Self {
            subcode: Some(33),
            message: "(#100) Unsupported post request. Object with ID does not exist, cannot be loaded due to missing permissions, or does not support this operation".to_owned(),
            kind: "GraphMethodException",
            ..Self::new(100)
        }
    }

    /// Replaces the HTTP status of throttling errors if the limits ask for it.
    pub(crate) fn throttled_with(mut self, http: Option<u16>) -> Self {
        if matches!(self.code, 4 | 80_007 | 130_429 | 131_048) {
            self.http = http.unwrap_or(self.http);
        }
        self
    }

    /// Error of a fault rule; `None` for the preset that is not JSON.
    pub(crate) fn from_fault(spec: &ErrorSpec, waba_id: &str) -> Option<Self> {
        let raw = match spec {
            ErrorSpec::Raw(raw) => raw,
            ErrorSpec::Preset(preset) => return Self::preset(*preset, waba_id),
        };
        let mut error = Self::new(raw.code);
        error.http = raw.http.unwrap_or(error.http);
        error.subcode = raw.subcode;
        error.headers.extend(raw.headers.clone());
        if raw.details.is_some() {
            error.details.clone_from(&raw.details);
        }
        Some(error)
    }

    fn preset(preset: Preset, waba_id: &str) -> Option<Self> {
        Some(match preset {
            Preset::TokenExpired => Self { subcode: Some(463), ..Self::new(190) },
            Preset::Throughput => Self::new(130_429),
            Preset::PairRate => Self::new(131_056),
            Preset::WabaRate => {
                let mut error = Self::new(80_007);
                let usage = json!({waba_id: [{
                    "type": "whatsapp", "call_count": 100, "total_cputime": 10, "total_time": 12,
                    "estimated_time_to_regain_access": 4,
                }]});
                error.headers.insert(USAGE.to_owned(), usage.to_string());
                error
            }
            Preset::Server500 => Self::new(131_000),
            Preset::Unavailable503 => Self::new(2),
            Preset::Html502 => return None,
            Preset::NotRegistered => Self::new(133_010),
            Preset::PolicyBlock => Self::new(368),
        })
    }

    pub(crate) fn body(&self, trace: &str) -> Value {
        let mut error = json!({"message": self.message, "type": self.kind, "code": self.code});
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = json!(subcode);
        }
        if let Some(details) = &self.details {
            error["error_data"] = json!({"messaging_product": "whatsapp", "details": details});
        }
        if self.user_message {
            error["error_user_title"] = json!("Invalid parameter");
            error["error_user_msg"] = json!(self.details);
        }
        if self.code == 2 {
            error["is_transient"] = json!(true);
        }
        error["fbtrace_id"] = json!(trace);
        json!({"error": error})
    }
}

/// Error in the form of status webhooks.
pub(crate) fn webhook_error(code: u32) -> Value {
    let error = GraphError::new(code);
    let prefix = format!("(#{code}) ");
    let title = error.message.strip_prefix(&prefix).unwrap_or(&error.message);
    json!({
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": error.details.as_deref().unwrap_or(title)},
        "href": HELP,
    })
}
