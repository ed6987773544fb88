//! Business account: phone numbers, access tokens and callbacks.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{clock::Millis, webhooks::Target, world::World};

/// Scopes of the default world's token.
pub(crate) const SCOPES: [&str; 2] = ["whatsapp_business_management", "whatsapp_business_messaging"];
/// Initial PIN of every number.
const PIN: &str = "123456";

/// An access token.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) scopes: Vec<String>,
    /// Expiry on the emulator's clock; `None` for a token that does not expire.
    pub(crate) expires_at: Option<Millis>,
}

/// Callback of an account or a number, used instead of the app's.
#[derive(Clone)]
pub(crate) struct Override {
    pub(crate) target: Target,
}

/// A phone number in Meta's form.
pub(crate) struct NumberState {
    /// Readable fields, without the id.
    pub(crate) fields: Map<String, Value>,
    pub(crate) profile: Map<String, Value>,
    pub(crate) callback: Option<Override>,
    pin: String,
}

/// Fields of a number that the control API may change.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NumberChanges {
    pub(crate) quality_rating: Option<String>,
    pub(crate) tier: Option<String>,
    pub(crate) throughput: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) can_send_message: Option<String>,
}

pub(crate) struct Accounts {
    pub(crate) tokens: BTreeMap<String, Token>,
    /// Codes of sign-ups that were not exchanged, with the URI that each was sent to.
    pub(crate) codes: BTreeMap<String, String>,
    pub(crate) numbers: BTreeMap<String, NumberState>,
    /// `None` until the app subscribes or unsubscribes. Webhooks are sent in this case too.
    pub(crate) subscribed: Option<bool>,
    pub(crate) callback: Option<Override>,
}

impl Accounts {
    pub(crate) fn new(world: &World) -> Self {
        let scopes = SCOPES.iter().map(|scope| (*scope).to_owned()).collect();
        let numbers = world.numbers.iter().map(|number| (number.id.clone(), NumberState::new(&number.display)));
        Self {
            tokens: BTreeMap::from([(world.token.clone(), Token { scopes, expires_at: None })]),
            codes: BTreeMap::new(),
            numbers: numbers.collect(),
            subscribed: None,
            callback: None,
        }
    }

    /// Callback override of a number: its own, else the account's.
    pub(crate) fn callback_of(&self, number: Option<&str>) -> Option<&Override> {
        let own = number.and_then(|number| self.numbers.get(number)?.callback.as_ref());
        own.or(self.callback.as_ref())
    }
}

impl NumberState {
    fn new(display: &str) -> Self {
        let fields = json!({
            "verified_name": "Loja Exemplo",
            "code_verification_status": "VERIFIED",
            "display_phone_number": pretty(display),
            "quality_rating": "GREEN",
            "platform_type": "CLOUD_API",
            "throughput": {"level": "STANDARD"},
            "status": "CONNECTED",
            "name_status": "APPROVED",
            "whatsapp_business_manager_messaging_limit": "TIER_2K",
            "account_mode": "LIVE",
            "is_pin_enabled": true,
            "is_official_business_account": false,
            "health_status": {"can_send_message": "AVAILABLE", "entities": []},
        });
        let Value::Object(fields) = fields else { unreachable!("json! of braces is an object") };
        Self { fields, profile: Map::new(), callback: None, pin: PIN.to_owned() }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.fields["status"] == "CONNECTED"
    }

    /// Registers the number. Returns `false` if the PIN is wrong.
    pub(crate) fn register(&mut self, pin: &str) -> bool {
        let right = pin == self.pin;
        if right {
            self.set("status", json!("CONNECTED"));
        }
        right
    }

    pub(crate) fn set_pin(&mut self, pin: &str) {
        self.pin = pin.to_owned();
    }

    pub(crate) fn set(&mut self, field: &str, value: Value) {
        self.fields.insert(field.to_owned(), value);
    }

    pub(crate) fn change(&mut self, changes: &NumberChanges) {
        let plain = [
            ("quality_rating", &changes.quality_rating),
            ("whatsapp_business_manager_messaging_limit", &changes.tier),
            ("status", &changes.status),
        ];
        for (field, value) in plain {
            if let Some(value) = value {
                self.set(field, json!(value));
            }
        }
        if let Some(level) = &changes.throughput {
            self.set("throughput", json!({ "level": level }));
        }
        if let Some(word) = &changes.can_send_message {
            let mut health = json!({"can_send_message": word, "entities": []});
            if word != "AVAILABLE" {
                health["entities"] = json!([{"entity_type": "PHONE_NUMBER", "can_send_message": word,
                    "errors": [{"error_code": 141_000, "error_description": "Sending is restricted.",
                        "possible_solution": "See the account's notices."}]}]);
            }
            self.set("health_status", health);
        }
    }
}

/// Formats `15550001111` as `+1 555-000-1111`; other numbers get a plus.
fn pretty(digits: &str) -> String {
    match digits.strip_prefix('1').filter(|rest| rest.len() == 10 && rest.is_ascii()) {
        Some(rest) => format!("+1 {}-{}-{}", &rest[..3], &rest[3..6], &rest[6..]),
        None => format!("+{digits}"),
    }
}
