//! Business numbers, their accounts, tokens and subscriptions (whatsapp-cloud-api.md 2.5 to 2.7).

use super::{
    CallError, GraphClient,
    call::{Call, success, text},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

const FIELDS: &str = "id,verified_name,display_phone_number,quality_rating,status,name_status,\
                      code_verification_status,platform_type,throughput,account_mode,webhook_configuration,\
                      health_status,whatsapp_business_manager_messaging_limit";

/// A business number as Meta has it. Words are Meta's, also ones that we do not know.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Number {
    /// Meta's id.
    pub id: String,
    /// As people write it, e.g. `+1 555-000-1111`.
    pub display_phone_number: Option<String>,
    /// The name that people see.
    pub verified_name: Option<String>,
    /// `CONNECTED`, `PENDING`, `FLAGGED`, `RESTRICTED`, `DISCONNECTED`, `BANNED`, …
    pub status: Option<String>,
    /// `GREEN`, `YELLOW`, `RED` or `UNKNOWN`.
    pub quality_rating: Option<String>,
    /// `APPROVED`, `PENDING_REVIEW`, `DECLINED`, …
    pub name_status: Option<String>,
    /// `VERIFIED`, `EXPIRED` (common and harmless), `NOT_VERIFIED`.
    pub code_verification_status: Option<String>,
    /// `CLOUD_API` is the one that works here.
    pub platform_type: Option<String>,
    /// `STANDARD`, `HIGH`, `NOT_APPLICABLE`.
    pub throughput: Option<String>,
    /// `LIVE` or `SANDBOX`.
    pub account_mode: Option<String>,
    /// `TIER_250` to `TIER_UNLIMITED`: people per day outside their windows.
    pub messaging_limit: Option<String>,
    /// Where Meta sends its webhooks: the number's own callback, else its account's, else the app's.
    pub callback: Option<String>,
    /// Whether messages can be sent, and what stands in the way.
    pub health: Option<Health>,
    /// As Meta sent it.
    pub raw: Value,
}

/// Whether messages can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// `AVAILABLE`, `LIMITED` or `BLOCKED`.
    pub can_send_message: String,
    /// What stands in the way, one line for each, for people: entity, error, solution.
    pub reasons: Vec<String>,
}

/// What a token may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenInfo {
    /// Whether it works at all.
    pub valid: bool,
    /// The app that it belongs to.
    pub app_id: Option<String>,
    /// Unix seconds; `None` when it never expires.
    pub expires_at: Option<i64>,
    /// What it may do.
    pub scopes: Vec<String>,
    /// The accounts that it may do it with; empty when it is not limited to any.
    pub targets: Vec<String>,
}

/// Where an account's or a number's webhooks go instead of the app's callback.
#[derive(Debug, Clone)]
pub struct Callback {
    /// The URL; Meta asks it for the handshake at once.
    pub url: String,
    /// What the handshake must carry.
    pub verify_token: SecretString,
}

impl Number {
    fn read(raw: &Value) -> Option<Self> {
        let within = |key: &str, inner: &str| raw.get(key).and_then(|value| text(value, inner));
        let callback = |key: &str| within("webhook_configuration", key);
        Some(Self {
            id: text(raw, "id")?,
            display_phone_number: text(raw, "display_phone_number"),
            verified_name: text(raw, "verified_name"),
            status: text(raw, "status"),
            quality_rating: text(raw, "quality_rating"),
            name_status: text(raw, "name_status"),
            code_verification_status: text(raw, "code_verification_status"),
            platform_type: text(raw, "platform_type"),
            throughput: within("throughput", "level"),
            account_mode: text(raw, "account_mode"),
            messaging_limit: text(raw, "whatsapp_business_manager_messaging_limit"),
            callback: callback("phone_number")
                .or_else(|| callback("whatsapp_business_account"))
                .or_else(|| callback("application")),
            health: raw.get("health_status").and_then(Health::read),
            raw: raw.clone(),
        })
    }
}

impl Health {
    fn read(raw: &Value) -> Option<Self> {
        let mut reasons = Vec::new();
        for entity in raw.get("entities").and_then(Value::as_array).into_iter().flatten() {
            let kind = text(entity, "entity_type").unwrap_or_default();
            for error in entity.get("errors").and_then(Value::as_array).into_iter().flatten() {
                let parts = [text(error, "error_description"), text(error, "possible_solution")];
                reasons.push(format!("{kind}: {}", parts.into_iter().flatten().collect::<Vec<_>>().join(" ")));
            }
            let notes = entity.get("additional_info").and_then(Value::as_array).into_iter().flatten();
            reasons.extend(notes.filter_map(Value::as_str).map(|note| format!("{kind}: {note}")));
        }
        Some(Self { can_send_message: text(raw, "can_send_message")?, reasons })
    }
}

impl GraphClient {
    /// A number with its health.
    pub async fn number(&self, phone_number_id: &str, token: &SecretString) -> Result<Number, CallError> {
        let answer = self.call(token, Call::get(&[phone_number_id], &[("fields", FIELDS)])).await?;
        Number::read(&answer).ok_or_else(|| CallError::unreadable("number"))
    }

    /// The numbers of a business account, up to a hundred.
    pub async fn numbers(&self, waba: &str, token: &SecretString) -> Result<Vec<Number>, CallError> {
        let query = [("fields", FIELDS), ("limit", "100")];
        let answer = self.call(token, Call::get(&[waba, "phone_numbers"], &query)).await?;
        let list = answer.get("data").and_then(Value::as_array).ok_or_else(|| CallError::unreadable("data"))?;
        Ok(list.iter().filter_map(Number::read).collect())
    }

    /// A business account's node: name, currency, timezone, review and health, as Meta writes them.
    pub async fn account(&self, waba: &str, token: &SecretString) -> Result<Value, CallError> {
        let fields = "id,name,currency,timezone_id,account_review_status,health_status";
        self.call(token, Call::get(&[waba], &[("fields", fields)])).await
    }

    /// What a token may do; asked with the token itself.
    pub async fn token_info(&self, token: &SecretString) -> Result<TokenInfo, CallError> {
        let query = [("input_token", token.expose_secret())];
        let answer = self.call(token, Call::get(&["debug_token"], &query)).await?;
        let data = answer.get("data").ok_or_else(|| CallError::unreadable("data"))?;
        let texts = |value: Option<&Value>| -> Vec<String> {
            value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let granular = data.get("granular_scopes").and_then(Value::as_array).into_iter().flatten();
        let mut targets: Vec<String> = granular.flat_map(|scope| texts(scope.get("target_ids"))).collect();
        targets.sort();
        targets.dedup();
        Ok(TokenInfo {
            valid: data.get("is_valid").and_then(Value::as_bool).unwrap_or(false),
            app_id: text(data, "app_id"),
            expires_at: data.get("expires_at").and_then(Value::as_i64).filter(|at| *at > 0),
            scopes: texts(data.get("scopes")),
            targets,
        })
    }

    /// The apps that get an account's webhooks, by id.
    pub async fn subscribed_apps(&self, waba: &str, token: &SecretString) -> Result<Vec<String>, CallError> {
        let answer = self.call(token, Call::get(&[waba, "subscribed_apps"], &[])).await?;
        let list = answer.get("data").and_then(Value::as_array).ok_or_else(|| CallError::unreadable("data"))?;
        let id = |app: &Value| text(app.get("whatsapp_business_api_data").unwrap_or(app), "id");
        Ok(list.iter().filter_map(id).collect())
    }

    /// Subscribes the token's app to an account's webhooks; without it none arrive. Safe to repeat.
    pub async fn subscribe(
        &self,
        waba: &str,
        token: &SecretString,
        callback: Option<&Callback>,
    ) -> Result<(), CallError> {
        let body = callback.map_or_else(|| json!({}), override_of);
        success(&self.call(token, Call::post(&[waba, "subscribed_apps"], &body)).await?)
    }

    /// Ends the subscription.
    pub async fn unsubscribe(&self, waba: &str, token: &SecretString) -> Result<(), CallError> {
        success(&self.call(token, Call::delete(&[waba, "subscribed_apps"], &[])).await?)
    }

    /// Gives a number a callback of its own, or takes it away. Safe to repeat.
    pub async fn set_callback(
        &self,
        phone_number_id: &str,
        token: &SecretString,
        callback: Option<&Callback>,
    ) -> Result<(), CallError> {
        let configuration = callback.map_or_else(|| json!({"override_callback_uri": ""}), override_of);
        let body = json!({ "webhook_configuration": configuration });
        success(&self.call(token, Call::post(&[phone_number_id], &body)).await?)
    }

    /// Registers a number for the Cloud API. At most ten times in 72 hours.
    pub async fn register(
        &self,
        phone_number_id: &str,
        token: &SecretString,
        pin: &SecretString,
    ) -> Result<(), CallError> {
        let body = json!({"messaging_product": "whatsapp", "pin": pin.expose_secret()});
        success(&self.call(token, Call::post(&[phone_number_id, "register"], &body)).await?)
    }
}

fn override_of(callback: &Callback) -> Value {
    json!({"override_callback_uri": callback.url, "verify_token": callback.verify_token.expose_secret()})
}
