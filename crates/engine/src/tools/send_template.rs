//! `SendWhatsappTemplateMessage`: sends a template of the node. It always goes to the contact of
//! the execution, whatever number the model gives (docs/spec/engine.md 3.2).

use super::{
    built_in::BuiltIn,
    schema::{object, text_of},
};
use crate::{agent::CompiledNode, answer, state::InterruptKind, step_builder::StepBuilder, variable_values};
use domain::{
    agent::{
        Room, WhatsappTemplate,
        variables::{Destination, Sources, fill_within, placeholders},
    },
    chat::ToolCall,
    limits::REQUEST_BYTES,
    message::{Content, TemplateMessage},
    tool_names::SEND_TEMPLATE,
};
use serde_json::{Map, Value, json};

pub(super) static TOOL: BuiltIn = BuiltIn {
    name: SEND_TEMPLATE,
    description: "Sends one of this step's approved WhatsApp templates to the person.",
    parameters,
    offered: |context| !context.node.kind.tools().templates.is_empty(),
    leads_out: awaits_reply,
    run,
};

fn parameters() -> Value {
    let properties = json!({
        "template_name": {"type": "string", "description": "One of the templates of this step"},
        "phone_number": {"type": "string", "description": "Not used: it goes to the person you talk with"},
        "template_parameters": {"type": "object", "description": "A value for each parameter, by name"},
    });
    object(properties, &["template_name", "phone_number", "template_parameters"])
}

fn find<'a>(node: &'a CompiledNode, wanted: &str) -> Option<&'a WhatsappTemplate> {
    let named =
        |template: &&WhatsappTemplate| template.template_name == wanted || template.name.as_deref() == Some(wanted);
    node.templates().iter().find(named)
}

/// True if the template of this call awaits a reply.
fn awaits_reply(node: &CompiledNode, call: &ToolCall) -> bool {
    let wanted = call.arguments.get("template_name").and_then(Value::as_str).unwrap_or_default();
    find(node, wanted.trim()).is_some_and(|template| template.wait_for_response)
}

fn run(step: &mut StepBuilder<'_>, call: &ToolCall, arguments: &Map<String, Value>) {
    let Some(node) = step.agent.node(&step.state.visit.node) else { return };
    let Some(template) = find(node, &text_of(arguments, "template_name")) else {
        let names: Vec<&str> = node.templates().iter().map(|template| template.template_name.as_str()).collect();
        let error = format!("no such template; this step has: {}", names.join(", "));
        return step.answer_first_call(call, json!({"error": error, "code": "template_not_found"}));
    };
    if step.state.facts.without_channel && !step.state.facts.test_mode {
        let error = "this execution has no contact, so no template can be sent";
        return step.answer_first_call(call, json!({"error": error, "code": "no_channel"}));
    }
    let given = arguments.get("template_parameters").and_then(Value::as_object).cloned().unwrap_or_default();
    let parameters = match values_of(step, template, given) {
        Ok(parameters) => parameters,
        Err(missing) => {
            let error = format!("template_parameters lacks: {}", missing.join(", "));
            return step.answer_first_call(call, json!({"error": error, "code": "template_parameters_missing"}));
        }
    };
    let content = Content::Template(TemplateMessage {
        name: template.template_name.clone(),
        language: template.extra.get("language").and_then(Value::as_str).map(str::to_owned),
        parameters,
        template_id: template.whatsapp_template_id.clone(),
        config_id: template.whatsapp_config_id.clone(),
        components: Vec::new(),
        text: None,
    });
    if template.wait_for_response {
        step.send_and_wait(InterruptKind::Template, call, content);
    } else {
        step.send_and_continue(call, content);
    }
}

/// Values of the parameters. Text of the builder without a `#{name}` is kept; the model fills the
/// rest.
fn values_of(
    step: &StepBuilder<'_>,
    template: &WhatsappTemplate,
    mut given: Map<String, Value>,
) -> Result<Vec<(String, String)>, Vec<String>> {
    let context = variable_values::of(step.state, step.at);
    let sources = Sources { context: Some(&context), arguments: None };
    let mut room = Room::new(REQUEST_BYTES);
    let (mut filled, mut missing) = (Vec::new(), Vec::new());
    for (name, configured) in &template.template_parameters {
        let configured = in_words(configured);
        let theirs = given.remove(name).map(|value| words(step, &value)).filter(|value| !value.trim().is_empty());
        if !configured.trim().is_empty() && placeholders(&configured).is_empty() {
            filled.push((name.clone(), fill_within(&configured, sources, Destination::Prompt, &mut room).text));
        } else if let Some(value) = theirs {
            filled.push((name.clone(), value));
        } else {
            missing.push(name.clone());
        }
    }
    filled.extend(given.iter().map(|(name, value)| (name.clone(), words(step, value))));
    if missing.is_empty() { Ok(filled) } else { Err(missing) }
}

/// A value that the model gave: a person will read it.
fn words(step: &StepBuilder<'_>, value: &Value) -> String {
    let text = in_words(value);
    if step.state.facts.rules >= 2 { answer::sayable(&text).unwrap_or_default() } else { text }
}

fn in_words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
