//! Reads changes of templates from an [`Item::Other`](super::Item) (docs/spec/whatsapp-cloud-api.md
//! 1.6).

use super::json;
use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateUpdate {
    pub template_id: String,
    pub name: Option<String>,
    pub language: Option<String>,
    /// `APPROVED`, `REJECTED`, `PAUSED` or another value of Meta's. `REINSTATED` and `UNARCHIVED`
    /// mean approved.
    pub status: Option<String>,
    /// Absent if Meta sends `NONE`.
    pub reason: Option<String>,
    pub category: Option<String>,
    /// `GREEN`, `YELLOW`, `RED` or `UNKNOWN`.
    pub quality: Option<String>,
}

impl TemplateUpdate {
    /// `None` for changes of other fields and for those without an id.
    pub fn read(field: &str, change: &Value) -> Option<Self> {
        let value = change.get("value")?;
        let text = |key: &str| json::text(value.get(key)).filter(|text| !text.is_empty());
        let update = Self {
            template_id: json::id(value.get("message_template_id"))?,
            name: text("message_template_name"),
            language: text("message_template_language"),
            status: None,
            reason: None,
            category: None,
            quality: None,
        };
        match field {
            "message_template_status_update" => Some(Self {
                status: text("event").map(|event| match event.as_str() {
                    "REINSTATED" | "UNARCHIVED" | "UNLOCKED" => String::from("APPROVED"),
                    _ => event,
                }),
                reason: text("reason").filter(|reason| reason != "NONE"),
                category: text("message_template_category"),
                ..update
            }),
            "template_category_update" => Some(Self { category: text("new_category"), ..update }),
            "message_template_quality_update" => Some(Self { quality: text("new_quality_score"), ..update }),
            "message_template_components_update" => Some(update),
            _ => None,
        }
    }
}
