//! Templates of the account.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ids::Ids;

/// First id: the ids look like Meta's and differ from those of other objects.
const FIRST_ID: u64 = 400_000_000_000_000;

/// Review of new templates.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Approval {
    /// Approved automatically after this time.
    AutoMs(u64),
    /// Decided by the control API only.
    Manual,
    /// Rejected at once if its text contains this, else approved at once.
    RejectIf(String),
}

impl Default for Approval {
    fn default() -> Self {
        Self::AutoMs(500)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Template {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) language: String,
    pub(crate) category: String,
    pub(crate) status: String,
    pub(crate) named: bool,
    pub(crate) components: Vec<Value>,
    pub(crate) rejected_reason: String,
    pub(crate) quality: String,
}

impl Template {
    /// Finds the component of a type, given in upper case.
    pub(crate) fn component(&self, kind: &str) -> Option<&Value> {
        self.components.iter().find(|component| component["type"].as_str() == Some(kind))
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "language": self.language,
            "status": self.status,
            "category": self.category,
            "parameter_format": if self.named { "NAMED" } else { "POSITIONAL" },
            "components": self.components,
            "rejected_reason": self.rejected_reason,
            "quality_score": {"score": self.quality},
        })
    }
}

#[derive(Default)]
pub(crate) struct Templates {
    by_id: BTreeMap<String, Template>,
    pub(crate) approval: Approval,
}

impl Templates {
    /// Templates of the default world.
    pub(crate) fn new(ids: &mut Ids) -> Self {
        let mut all = Self::default();
        let plain = json!([
            {"type": "HEADER", "format": "TEXT", "text": "Hello World"},
            {"type": "BODY", "text": "Welcome and congratulations!! This message demonstrates templates."},
            {"type": "FOOTER", "text": "WhatsApp Business Platform sample message"},
        ]);
        all.seed(ids, "hello_world", "en_US", "APPROVED", false, &plain);
        for (language, text) in [
            ("en_US", "Hi {{1}}, your order {{2}} is out for delivery today."),
            ("pt_BR", "Oi {{1}}, o pedido {{2}} saiu para entrega hoje."),
        ] {
            let body = json!([{"type": "BODY", "text": text, "example": {"body_text": [["Ana", "A-17"]]}}]);
            all.seed(ids, "order_update", language, "APPROVED", false, &body);
        }
        let named = json!([{"type": "BODY", "text": "Oi {{customer_name}}, o pedido {{order_id}} saiu para entrega hoje.",
        "example": {"body_text_named_params": [
            {"param_name": "customer_name", "example": "Ana"}, {"param_name": "order_id", "example": "A-17"},
        ]}}]);
        all.seed(ids, "order_update_named", "pt_BR", "APPROVED", true, &named);
        let promo = json!([
            {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::image"]}},
            {"type": "BODY", "text": "Oi {{1}}, temos novidades para ti.", "example": {"body_text": [["Ana"]]}},
            {"type": "BUTTONS", "buttons": [
                {"type": "URL", "text": "Ver", "url": "https://example.com/{{1}}", "example": ["promo/1"]},
                {"type": "QUICK_REPLY", "text": "Sair"},
            ]},
        ]);
        all.seed(ids, "promo_image", "pt_BR", "APPROVED", false, &promo);
        let body = |text: &str| json!([{"type": "BODY", "text": text}]);
        all.seed(ids, "otp_code", "pt_BR", "APPROVED", false, &body("O seu codigo chegou por aqui."));
        all.seed(ids, "promo_paused", "pt_BR", "PAUSED", false, &body("Tudo mais barato esta semana."));
        all.seed(ids, "free_money", "en_US", "REJECTED", false, &body("You have won. Send us your card number."));
        all
    }

    fn seed(&mut self, ids: &mut Ids, name: &str, language: &str, status: &str, named: bool, components: &Value) {
        let category = match name {
            "otp_code" => "AUTHENTICATION",
            "promo_image" | "promo_paused" | "free_money" => "MARKETING",
            _ => "UTILITY",
        };
        let id = self.add(ids, name, language, category, named, components.as_array().cloned().unwrap_or_default());
        if let Some(template) = self.by_id.get_mut(&id) {
            template.status = status.to_owned();
            if status == "REJECTED" {
                template.rejected_reason = "SCAM".to_owned();
            }
        }
    }

    /// Adds a pending template. Returns its id.
    pub(crate) fn add(
        &mut self,
        ids: &mut Ids,
        name: &str,
        language: &str,
        category: &str,
        named: bool,
        components: Vec<Value>,
    ) -> String {
        let id = (FIRST_ID + ids.count("template")).to_string();
        let template = Template {
            id: id.clone(),
            name: name.to_owned(),
            language: language.to_owned(),
            category: category.to_owned(),
            status: "PENDING".to_owned(),
            named,
            components,
            rejected_reason: "NONE".to_owned(),
            quality: "UNKNOWN".to_owned(),
        };
        self.by_id.insert(id.clone(), template);
        id
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Template> {
        self.by_id.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Template> {
        self.by_id.get_mut(id)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Template> {
        self.by_id.values()
    }

    pub(crate) fn find(&self, name: &str, language: &str) -> Option<&Template> {
        self.all().find(|template| template.name == name && template.language == language)
    }

    /// Removes all languages of a name, or one id. Returns the removed templates.
    pub(crate) fn remove(&mut self, name: &str, id: Option<&str>) -> Vec<Template> {
        let gone: Vec<Template> =
            self.all().filter(|t| t.name == name && id.is_none_or(|id| t.id == id)).cloned().collect();
        self.by_id.retain(|id, _| !gone.iter().any(|template| template.id == *id));
        gone
    }
}
