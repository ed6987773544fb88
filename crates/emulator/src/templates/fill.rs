//! Filling of a template by a send: parameter checks and rendering.

use serde_json::{Value, json};

use super::{Template, variables};
use crate::graph::GraphError;

const MAX_BODY: usize = 1_024;

/// Checks `template.components` of a send and renders it. Errors are those of the Graph API.
pub(crate) fn fill(template: &Template, sent: &Value) -> Result<Value, GraphError> {
    match template.status.as_str() {
        "APPROVED" => {}
        "PAUSED" => return Err(GraphError::new(132_015)),
        "DISABLED" => return Err(GraphError::new(132_016)),
        _ => return Err(GraphError::missing_template(&template.name, &template.language)),
    }
    let components = sent["components"].as_array().map_or(&[][..], Vec::as_slice);
    let mut shown = json!({"name": template.name, "language": template.language});
    if let Some(header) = template.component("HEADER") {
        let given = parameters(components, "header", None);
        shown["header"] = match header["format"].as_str().unwrap_or("TEXT") {
            "TEXT" => json!(text(header, given, template.named, "header")?),
            format => media(format, given)?,
        };
    }
    if let Some(body) = template.component("BODY") {
        let body = text(body, parameters(components, "body", None), template.named, "body")?;
        if body.chars().count() > MAX_BODY {
            return Err(GraphError::new(132_005));
        }
        shown["body"] = json!(body);
    }
    if let Some(footer) = template.component("FOOTER") {
        shown["footer"] = footer["text"].clone();
    }
    if let Some(buttons) = template.component("BUTTONS") {
        shown["buttons"] = filled_buttons(buttons, components)?;
    }
    Ok(shown)
}

fn is_button(component: &Value, at: usize) -> bool {
    let place = component["index"].as_str().and_then(|text| text.parse().ok()).or(component["index"].as_u64());
    component["type"].as_str().is_some_and(|given| given.eq_ignore_ascii_case("button")) && place == Some(at as u64)
}

/// Parameters of one component. Types are compared without case, buttons by their index.
fn parameters<'a>(components: &'a [Value], kind: &str, index: Option<usize>) -> &'a [Value] {
    let is = |component: &&Value| match index {
        Some(index) => is_button(component, index),
        None => component["type"].as_str().is_some_and(|given| given.eq_ignore_ascii_case(kind)),
    };
    components.iter().find(is).and_then(|component| component["parameters"].as_array()).map_or(&[], Vec::as_slice)
}

fn text(component: &Value, given: &[Value], named: bool, what: &str) -> Result<String, GraphError> {
    let pattern = component["text"].as_str().unwrap_or_default();
    let names = variables(pattern);
    if names.len() != given.len() {
        return Err(GraphError::wrong_count(what, given.len(), names.len()));
    }
    let mut filled = pattern.to_owned();
    for (at, name) in names.iter().enumerate() {
        let parameter = if named {
            let is = |parameter: &&Value| parameter["parameter_name"].as_str() == Some(name);
            let missing = || GraphError::with(132_012, format!("{what}: Parameter name {name} is missing."));
            given.iter().find(is).ok_or_else(missing)?
        } else {
            &given[at]
        };
        filled = filled.replacen(&format!("{{{{{name}}}}}"), &value(parameter, what)?, 1);
    }
    Ok(filled)
}

fn value(parameter: &Value, what: &str) -> Result<String, GraphError> {
    let kind = parameter["type"].as_str().unwrap_or_default();
    let text = match kind {
        "text" => parameter["text"].as_str(),
        "currency" | "date_time" => parameter[kind]["fallback_value"].as_str(),
        _ => None,
    };
    let wrong = || GraphError::with(132_012, format!("{what}: Format mismatch, expected TEXT, received {kind}."));
    let text = text.ok_or_else(wrong)?;
    if text.contains(['\n', '\t']) || text.contains("     ") {
        let details =
            format!("{what}: Param text cannot have new-line/tab characters or more than 4 consecutive spaces");
        return Err(GraphError::with(132_018, details));
    }
    Ok(text.to_owned())
}

fn media(format: &str, given: &[Value]) -> Result<Value, GraphError> {
    let [parameter] = given else { return Err(GraphError::wrong_count("header", given.len(), 1)) };
    let kind = parameter["type"].as_str().unwrap_or_default();
    if !kind.eq_ignore_ascii_case(format) {
        let details = format!("header: Format mismatch, expected {format}, received {}.", kind.to_uppercase());
        return Err(GraphError::with(132_012, details));
    }
    Ok(json!({ kind: parameter[kind] }))
}

fn filled_buttons(component: &Value, sent: &[Value]) -> Result<Value, GraphError> {
    let mut shown = Vec::new();
    for (at, button) in component["buttons"].as_array().into_iter().flatten().enumerate() {
        let given = parameters(sent, "button", Some(at));
        let mut view = json!({"type": button["type"], "text": button["text"]});
        let action = || given.first().map(|parameter| &parameter["action"]).filter(|action| action.is_object());
        match button["type"].as_str().unwrap_or_default() {
            "URL" => {
                let pattern = button["url"].as_str().unwrap_or_default();
                let names = variables(pattern);
                match (names.len(), given.len()) {
                    (0, 1..) => return Err(needless(at, "of type Url does not require parameters", 132_018)),
                    (1.., 0) => return Err(bare(at, "Url")),
                    (names, given) if names != given => return Err(GraphError::wrong_count("button", given, names)),
                    _ => {}
                }
                let mut url = pattern.to_owned();
                for (name, parameter) in names.iter().zip(given) {
                    url = url.replacen(&format!("{{{{{name}}}}}"), &value(parameter, "button")?, 1);
                }
                view["url"] = json!(url);
            }
            "QUICK_REPLY" => {
                let payload = given.first().and_then(|parameter| parameter["payload"].as_str());
                view["payload"] = json!(payload.or(button["text"].as_str()));
            }
            "PHONE_NUMBER" => {
                if !given.is_empty() {
                    return Err(needless(at, "is of type Call and does not support parameters", 100));
                }
                view["phone_number"] = button["phone_number"].clone();
            }
            "COPY_CODE" => {
                let code = given.first().and_then(|parameter| parameter["coupon_code"].as_str());
                view["code"] = json!(code.ok_or_else(|| bare(at, "CopyCode"))?);
            }
            "FLOW" => {
                let action = action().ok_or_else(|| missing_component(at))?;
                view["flow_token"] = action.get("flow_token").cloned().unwrap_or_else(|| json!("unused"));
            }
            "CATALOG" => {
                if !sent.iter().any(|component| is_button(component, at)) {
                    return Err(missing_component(at));
                }
                view["product"] =
                    action().map_or(Value::Null, |action| action["thumbnail_product_retailer_id"].clone());
            }
            "MPM" => {
                let sections = action().map(|action| &action["sections"]).filter(|sections| sections.is_array());
                view["sections"] = sections.ok_or_else(|| missing_component(at))?.clone();
            }
            _ => {}
        }
        shown.push(view);
    }
    Ok(json!(shown))
}

/// Details as integrators report them from Meta, for a button without its parameter.
fn bare(at: usize, kind: &str) -> GraphError {
    GraphError::with(131_008, format!("buttons: Button at index {at} of type {kind} requires a parameter"))
}

fn needless(at: usize, why: &str, code: u32) -> GraphError {
    GraphError::with(code, format!("buttons: Button at index {at} {why}"))
}

/// Meta's details for a flow button without a component. Those of the other kinds are not known.
fn missing_component(at: usize) -> GraphError {
    GraphError::with(131_009, format!("Components sub_type invalid at index: {at} and type: 0"))
}
