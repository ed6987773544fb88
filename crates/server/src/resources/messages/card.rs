//! Contact cards, with flat name fields of old clients or WhatsApp's nested name.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// A card in a request.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(super) struct OutgoingContactCard {
    /// Full name.
    formatted_name: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    /// Nested name instead of the flat fields: `{formatted_name, first_name, …}`.
    name: Option<Map<String, Value>>,
    #[schema(value_type = Option<String>, format = Date)]
    birthday: Option<String>,
    addresses: Option<Vec<Map<String, Value>>>,
    org: Option<Map<String, Value>>,
    urls: Option<Vec<Map<String, Value>>>,
    phones: Option<Vec<CardPhone>>,
    emails: Option<Vec<CardEmail>>,
}

#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
struct CardPhone {
    phone: Option<String>,
    /// `WORK`, `HOME` or another label.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
}

#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
struct CardEmail {
    email: Option<String>,
    /// `WORK`, `HOME` or another label.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
}

impl OutgoingContactCard {
    /// True if the client sent WhatsApp's nested name.
    pub(super) const fn has_nested_name(&self) -> bool {
        self.name.is_some()
    }

    /// WhatsApp's format.
    pub(super) fn to_meta(&self) -> Value {
        let mut name = self.name.clone().unwrap_or_default();
        let flat = [
            ("formatted_name", &self.formatted_name),
            ("first_name", &self.first_name),
            ("last_name", &self.last_name),
        ];
        for (key, text) in flat {
            if let Some(text) = text.as_deref().filter(|text| !text.trim().is_empty()) {
                name.entry(key).or_insert_with(|| json!(text));
            }
        }
        let mut card = json!({"name": name});
        let parts = [
            ("birthday", json!(self.birthday)),
            ("addresses", json!(self.addresses)),
            ("org", json!(self.org)),
            ("urls", json!(self.urls)),
            ("phones", json!(self.phones)),
            ("emails", json!(self.emails)),
        ];
        for (key, value) in parts.into_iter().filter(|(_, value)| !value.is_null()) {
            card[key] = value;
        }
        card
    }
}

/// A card of a stored message.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StoredContactCard {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    name: Option<CardName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    phones: Option<Vec<LabelledPhone>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    emails: Option<Vec<LabelledEmail>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    birthday: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    org: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    addresses: Option<Vec<Map<String, Value>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    urls: Option<Vec<Map<String, Value>>>,
}

/// The parts of a name.
#[derive(Debug, Serialize, ToSchema)]
struct CardName {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    formatted_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    first_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_name: Option<String>,
}

/// A phone number and its label.
#[derive(Debug, Serialize, ToSchema)]
struct LabelledPhone {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    phone: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    kind: Option<String>,
    /// WhatsApp account of this number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    wa_id: Option<String>,
}

/// An address and its label.
#[derive(Debug, Serialize, ToSchema)]
struct LabelledEmail {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    email: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    kind: Option<String>,
}

impl StoredContactCard {
    /// Reads WhatsApp's format; any field may be missing or malformed.
    pub(super) fn of(card: &Value) -> Self {
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let list = |key: &str| card.get(key).and_then(Value::as_array);
        let objects =
            |key: &str| list(key).map(|list| list.iter().filter_map(|one| one.as_object().cloned()).collect());
        let name = card.get("name").filter(|name| name.is_object());
        let phone = |one: &Value| LabelledPhone {
            phone: text(one, "phone"),
            kind: text(one, "type"),
            wa_id: text(one, "wa_id"),
        };
        let email = |one: &Value| LabelledEmail { email: text(one, "email"), kind: text(one, "type") };
        Self {
            name: name.map(|name| CardName {
                formatted_name: text(name, "formatted_name"),
                first_name: text(name, "first_name"),
                last_name: text(name, "last_name"),
            }),
            phones: list("phones").map(|list| list.iter().map(phone).collect()),
            emails: list("emails").map(|list| list.iter().map(email).collect()),
            birthday: text(card, "birthday"),
            org: card.get("org").and_then(Value::as_object).cloned(),
            addresses: objects("addresses"),
            urls: objects("urls"),
        }
    }
}
