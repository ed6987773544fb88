//! `/{waba}/message_templates` and `/{template}`.

use axum::http::Method;
use serde_json::{Value, json};

use super::{call::Call, errors::GraphError};
use crate::{
    state::State,
    templates::{Template, check_new, written_by_whatsapp},
};

/// Subcode for a name and language that already exist.
const EXISTS: u32 = 2_388_024;
const NOT_FOUND: u32 = 2_593_002;
const MAX_PER_PAGE: usize = 1_000;

pub(super) fn list(state: &State, call: &Call) -> Result<Value, GraphError> {
    let asked = |name: &str| call.parameter(name);
    let wanted = |template: &&Template| {
        asked("name").is_none_or(|name| template.name.contains(name))
            && asked("name_or_content").is_none_or(|text| json!(template.to_json()).to_string().contains(text))
            && asked("status").is_none_or(|status| template.status.eq_ignore_ascii_case(status))
            && asked("category").is_none_or(|category| template.category.eq_ignore_ascii_case(category))
            && asked("language").is_none_or(|language| template.language == language)
    };
    let all: Vec<&Template> = state.templates.all().filter(wanted).collect();
    let limit = match asked("limit").map(str::parse) {
        None => 25,
        Some(Ok(limit)) if (1..=MAX_PER_PAGE).contains(&limit) => limit,
        Some(_) => return Err(GraphError::with(100, "Param limit must be 1 to 1000.")),
    };
    // A cursor is the id of the last template on the page.
    let from =
        asked("after").map_or(0, |after| all.iter().take_while(|template| template.id.as_str() <= after).count());
    let page: Vec<&&Template> = all.iter().skip(from).take(limit).collect();
    let cursor = |template: Option<&&&Template>| template.map(|template| template.id.clone());
    let mut answer = json!({
        "data": page.iter().map(|template| call.select_fields(template.to_json())).collect::<Vec<_>>(),
        "paging": {"cursors": {"before": cursor(page.first()), "after": cursor(page.last())}},
    });
    if from + page.len() < all.len() {
        let after = cursor(page.last()).unwrap_or_default();
        answer["paging"]["next"] = json!(format!("{}{}?after={after}&limit={limit}", call.base, call.path));
    }
    if asked("summary").is_some() {
        answer["summary"] = json!({"total_count": all.len(), "message_template_count": all.len(),
            "message_template_limit": 250, "are_translations_complete": true});
    }
    Ok(answer)
}

pub(super) fn read(state: &State, call: &Call, id: &str) -> Result<Value, GraphError> {
    let template = state.templates.get(id).ok_or_else(GraphError::no_object)?;
    Ok(call.select_fields(template.to_json()))
}

pub(super) fn create(state: &mut State, call: &Call) -> Result<Value, GraphError> {
    let body = call.body.as_ref().filter(|body| body.is_object());
    let body = body.ok_or_else(|| GraphError::with(100, "The body must be a JSON object."))?;
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let (name, language, category) = (text("name"), text("language"), text("category"));
    let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
    if name.is_empty() || name.len() > 512 || !name.bytes().all(fits) {
        return Err(GraphError::template(None, "Param name must be lower case letters, digits and underscores."));
    }
    if !(2..=15).contains(&language.len()) {
        return Err(GraphError::template(None, "Param language must be a language code."));
    }
    if state.templates.find(&name, &language).is_some() {
        let details = "There is already content for this template in this language.";
        return Err(GraphError::template(Some(EXISTS), details));
    }
    let named = body["parameter_format"] == "NAMED";
    let components = body["components"].as_array().cloned().unwrap_or_default();
    check_new(&category, named, &components)?;
    let components = written_by_whatsapp(components);
    let id = state.templates.add(&mut state.ids, &name, &language, &category, named, components);
    state.submit_template(&id);
    Ok(json!({"id": id, "status": "PENDING", "category": category}))
}

pub(super) fn delete(state: &mut State, call: &Call) -> Result<Value, GraphError> {
    let name =
        call.parameter("name").ok_or_else(|| GraphError::with(100, "The parameter name is required."))?.to_owned();
    let gone = state.templates.remove(&name, call.parameter("hsm_id"));
    if gone.is_empty() {
        return Err(GraphError::template(Some(NOT_FOUND), "Message template was not found."));
    }
    Ok(json!({"success": true}))
}

pub(super) fn node(state: &mut State, id: &str, call: &Call) -> Result<Value, GraphError> {
    if call.method == Method::GET {
        return read(state, call, id);
    }
    if call.method != Method::POST {
        return Err(GraphError::with(100, "Unsupported method."));
    }
    let template = state.templates.get(id).ok_or_else(GraphError::no_object)?.clone();
    let category = call.text("category").map_or_else(|| template.category.clone(), str::to_owned);
    if template.status == "APPROVED" && category != template.category {
        return Err(GraphError::template(None, "The category of an approved template can't be changed."));
    }
    let given = call.body.as_ref().and_then(|body| body["components"].as_array()).cloned();
    let components = given.unwrap_or_else(|| template.components.clone());
    check_new(&category, template.named, &components)?;
    if let Some(entry) = state.templates.get_mut(id) {
        entry.components = written_by_whatsapp(components);
        entry.category.clone_from(&category);
        "PENDING".clone_into(&mut entry.status);
    }
    state.submit_template(id);
    Ok(json!({"success": true, "id": id, "name": template.name, "category": category}))
}

pub(super) fn unpause(state: &mut State, id: &str) -> Result<Value, GraphError> {
    let template = state.templates.get_mut(id).ok_or_else(GraphError::no_object)?;
    if template.status != "PAUSED" {
        return Ok(json!({"success": false, "reason": "The template is not paused."}));
    }
    state.decide_template(id, "APPROVED", None, None);
    Ok(json!({"success": true}))
}
