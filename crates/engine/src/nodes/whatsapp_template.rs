//! WhatsappTemplateNode: one approved template as a tool. A subagent's templates are shown in the
//! same way.

use super::behaviour::Behaviour;
use crate::text::without_comments;
use domain::agent::WhatsappTemplate;
use std::fmt::Write as _;

pub(super) fn behaviour(template: &WhatsappTemplate) -> Behaviour {
    Behaviour { step_prompt: Some(step_prompt(std::slice::from_ref(template))), ..Behaviour::default() }
}

/// Lists the templates with purpose and parameters, and whether a reply is awaited.
pub(super) fn step_prompt(templates: &[WhatsappTemplate]) -> String {
    let mut text = String::from("## Templates of this step\n");
    text.push_str(&without_comments(include_str!("../../prompts/templates.md")));
    for template in templates {
        let what = template.description.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let _ = write!(text, "- {}: {}", template.template_name, what.unwrap_or("a message approved by WhatsApp"));
        if !template.template_parameters.is_empty() {
            let shown = template.template_parameters.iter().map(|(name, value)| {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                if value.is_empty() { name.clone() } else { format!("{name} = {value}") }
            });
            let _ = write!(text, "; parameters: {}", shown.collect::<Vec<_>>().join(", "));
        }
        text.push_str(if template.wait_for_response { "; the reply is awaited\n" } else { "; no reply is awaited\n" });
    }
    text
}
