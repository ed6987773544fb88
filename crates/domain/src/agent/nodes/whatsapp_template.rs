//! Settings of a WhatsappTemplateNode and of a subagent's templates: an approved message that the model can send.

use crate::agent::codes;
use crate::agent::read::{Fields, Findings, put};
use serde_json::{Map, Value};

#[derive(Debug, Clone, PartialEq)]
pub struct WhatsappTemplate {
    /// Subagent tools only.
    pub name: Option<String>,
    /// Name at WhatsApp.
    pub template_name: String,
    /// Informative: templates go to the execution's contact.
    pub phone_number: Option<String>,
    /// `#{name}` stands for what the model fills in.
    pub template_parameters: Map<String, Value>,
    /// Wait until the contact replies.
    pub wait_for_response: bool,
    /// Number to send from; needed before the agent can be activated.
    pub whatsapp_config_id: Option<String>,
    /// Stored template; needed before the agent can be activated.
    pub whatsapp_template_id: Option<String>,
    /// Occasion for sending it, for the model.
    pub description: Option<String>,
    /// Unknown fields, kept.
    pub extra: Map<String, Value>,
}

impl WhatsappTemplate {
    pub(super) fn read(value: Value, at: &str, tool: bool, found: &mut Findings) -> Option<Self> {
        const KNOWN: &[&str] = &[
            "name",
            "template_name",
            "phone_number",
            "template_parameters",
            "wait_for_response",
            "whatsapp_config_id",
            "whatsapp_template_id",
            "description",
        ];
        let mut fields = Fields::open(value, at, KNOWN, found)?;
        if !tool {
            // The published reference calls it `name`, the published client `template_name`.
            fields.rename("name", "template_name");
        }
        let template = Self {
            name: if tool { Some(fields.required("name", found)) } else { None },
            template_name: fields.required("template_name", found),
            phone_number: fields.text("phone_number", found),
            template_parameters: fields
                .given_object("template_parameters", None, found)
                .map(|(map, _)| map)
                .unwrap_or_default(),
            wait_for_response: fields.flag("wait_for_response", found).unwrap_or(false),
            whatsapp_config_id: fields.text("whatsapp_config_id", found),
            whatsapp_template_id: fields.text("whatsapp_template_id", found),
            description: fields.text("description", found),
            extra: fields.rest(),
        };
        if template.whatsapp_config_id.is_none() || template.whatsapp_template_id.is_none() {
            let message = "the agent cannot be activated before whatsapp_config_id and whatsapp_template_id are set";
            found.warn(at, codes::TEMPLATE_WITHOUT_IDS, message);
        }
        Some(template)
    }

    pub(super) fn to_json(&self) -> Value {
        let mut out = Map::new();
        put(&mut out, "name", self.name.as_deref());
        put(&mut out, "template_name", Some(&self.template_name));
        put(&mut out, "description", self.description.as_deref());
        put(&mut out, "phone_number", self.phone_number.as_deref());
        out.insert("template_parameters".into(), self.template_parameters.clone().into());
        out.insert("wait_for_response".into(), self.wait_for_response.into());
        put(&mut out, "whatsapp_config_id", self.whatsapp_config_id.as_deref());
        put(&mut out, "whatsapp_template_id", self.whatsapp_template_id.as_deref());
        out.extend(self.extra.clone());
        Value::Object(out)
    }
}
