//! News of templates, read from an [`Item::Other`](super::Item) (whatsapp-cloud-api.md 1.6).

use super::json;
use serde_json::Value;

/// What changed about a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateUpdate {
    /// Meta's id.
    pub template_id: String,
    /// Its name.
    pub name: Option<String>,
    /// Its language.
    pub language: Option<String>,
    /// Its status now: `APPROVED`, `REJECTED`, `PAUSED`, …, Meta's word. `REINSTATED` and `UNARCHIVED` mean approved.
    pub status: Option<String>,
    /// Why; absent where Meta says `NONE`.
    pub reason: Option<String>,
    /// Its category now.
    pub category: Option<String>,
    /// Its quality now: `GREEN`, `YELLOW`, `RED`, `UNKNOWN`.
    pub quality: Option<String>,
}

impl TemplateUpdate {
    /// Reads a change of one of the template fields; `None` for other changes and for those without an id.
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
