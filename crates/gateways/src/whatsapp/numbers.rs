//! Business numbers, their accounts, tokens and subscriptions (docs/spec/whatsapp-cloud-api.md 2.5
//! to 2.7).

use super::{
    CallError, GraphClient,
    call::{Call, success, text},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

const FIELDS: &str = "id,verified_name,display_phone_number,quality_rating,status,name_status,\
                      code_verification_status,platform_type,throughput,account_mode,webhook_configuration,\
                      health_status,whatsapp_business_manager_messaging_limit";

/// Pages of an account's numbers that are read; an account has a few dozen numbers.
const MAX_PAGES: usize = 50;

/// A business number at Meta. Values are Meta's own, unknown ones included.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Number {
    pub id: String,
    /// For example `+1 555-000-1111`.
    pub display_phone_number: Option<String>,
    /// The name shown to contacts.
    pub verified_name: Option<String>,
    /// `CONNECTED`, `PENDING`, `FLAGGED`, `RESTRICTED`, `DISCONNECTED`, `BANNED`, …
    pub status: Option<String>,
    /// `GREEN`, `YELLOW`, `RED` or `UNKNOWN`.
    pub quality_rating: Option<String>,
    /// `APPROVED`, `PENDING_REVIEW`, `DECLINED`, …
    pub name_status: Option<String>,
    /// `VERIFIED`, `EXPIRED` (common and harmless), `NOT_VERIFIED`.
    pub code_verification_status: Option<String>,
    /// Only `CLOUD_API` works here.
    pub platform_type: Option<String>,
    /// `STANDARD`, `HIGH`, `NOT_APPLICABLE`.
    pub throughput: Option<String>,
    /// `LIVE` or `SANDBOX`.
    pub account_mode: Option<String>,
    /// `TIER_250` to `TIER_UNLIMITED`: contacts per day outside of the service window.
    pub messaging_limit: Option<String>,
    /// The URL of its webhooks: the number's own callback, else its account's, else the app's.
    pub callback: Option<String>,
    pub health: Option<Health>,
    pub raw: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// `AVAILABLE`, `LIMITED` or `BLOCKED`.
    pub can_send_message: String,
    /// One line per obstacle: entity, error, solution.
    pub reasons: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenInfo {
    pub valid: bool,
    pub app_id: Option<String>,
    /// Unix seconds; `None` if it never expires.
    pub expires_at: Option<i64>,
    pub scopes: Vec<String>,
    /// The accounts that it is limited to; empty for no limit.
    pub targets: Vec<String>,
}

/// A webhook URL of an account or a number, instead of the app's.
#[derive(Debug, Clone)]
pub struct Callback {
    /// Meta sends the handshake to it at once.
    pub url: String,
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
    pub async fn number(&self, phone_number_id: &str, token: &SecretString) -> Result<Number, CallError> {
        let answer = self.call(token, Call::get(&[phone_number_id], &[("fields", FIELDS)])).await?;
        Number::read(&answer).ok_or_else(|| CallError::unreadable("number"))
    }

    /// Up to a hundred numbers of a business account.
    pub async fn numbers(&self, waba: &str, token: &SecretString) -> Result<Vec<Number>, CallError> {
        let query = [("fields", FIELDS), ("limit", "100")];
        let answer = self.call(token, Call::get(&[waba, "phone_numbers"], &query)).await?;
        let list = answer.get("data").and_then(Value::as_array).ok_or_else(|| CallError::unreadable("data"))?;
        Ok(list.iter().filter_map(Number::read).collect())
    }

    /// True if the account has this number. Fails if the token cannot read the account.
    pub async fn account_has_number(
        &self,
        waba: &str,
        phone_number_id: &str,
        token: &SecretString,
    ) -> Result<bool, CallError> {
        let mut after: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let query = [("fields", "id"), ("limit", "100"), ("after", after.as_deref().unwrap_or_default())];
            let query = if after.is_some() { &query[..] } else { &query[..2] };
            let answer = self.call(token, Call::get(&[waba, "phone_numbers"], query)).await?;
            let list = answer.get("data").and_then(Value::as_array).ok_or_else(|| CallError::unreadable("data"))?;
            if list.iter().any(|number| text(number, "id").as_deref() == Some(phone_number_id)) {
                return Ok(true);
            }
            after = answer.pointer("/paging/cursors").and_then(|cursors| text(cursors, "after"));
            if list.is_empty() || after.is_none() || answer.pointer("/paging/next").is_none() {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// A business account in Meta's form: name, currency, timezone, review and health.
    pub async fn account(&self, waba: &str, token: &SecretString) -> Result<Value, CallError> {
        let fields = "id,name,currency,timezone_id,account_review_status,health_status";
        self.call(token, Call::get(&[waba], &[("fields", fields)])).await
    }

    /// Meta's information about a token, authorized by the token itself.
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

    /// Ids of the apps that receive an account's webhooks.
    pub async fn subscribed_apps(&self, waba: &str, token: &SecretString) -> Result<Vec<String>, CallError> {
        let answer = self.call(token, Call::get(&[waba, "subscribed_apps"], &[])).await?;
        let list = answer.get("data").and_then(Value::as_array).ok_or_else(|| CallError::unreadable("data"))?;
        let id = |app: &Value| text(app.get("whatsapp_business_api_data").unwrap_or(app), "id");
        Ok(list.iter().filter_map(id).collect())
    }

    /// Subscribes the token's app to an account's webhooks; without it none arrive. Idempotent.
    pub async fn subscribe(
        &self,
        waba: &str,
        token: &SecretString,
        callback: Option<&Callback>,
    ) -> Result<(), CallError> {
        let body = callback.map_or_else(|| json!({}), override_of);
        success(&self.call(token, Call::post(&[waba, "subscribed_apps"], &body)).await?)
    }

    pub async fn unsubscribe(&self, waba: &str, token: &SecretString) -> Result<(), CallError> {
        success(&self.call(token, Call::delete(&[waba, "subscribed_apps"], &[])).await?)
    }

    /// Sets or removes a number's own callback. Idempotent.
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

    /// Registers a number for the Cloud API. Meta allows ten attempts in 72 hours.
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
