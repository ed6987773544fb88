//! Fills a template (docs/spec/whatsapp-cloud-api.md 2.2): exactly its variables, within WhatsApp's
//! limits. The result is Meta's component structure and the text that a person will read.

use super::{
    buttons,
    filling::{Filling, Header, Parameters, plain},
    shape::{Shape, UNSUPPORTED, distinct, is, text, variables},
};
use crate::Problem;
use serde_json::{Map, Value, json};

const LONGEST_BODY: usize = 1_024;

/// A template that is ready to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Filled {
    /// Meta's component structure.
    pub components: Vec<Value>,
    /// The text as a person reads it.
    pub text: String,
}

/// Fills a template, or reports every mismatch; paths begin at the filling: `/template_parameters`.
pub fn fill(shape: Shape<'_>, filling: &Filling) -> Result<Filled, Vec<Problem>> {
    let mut problems = unsupported(shape);
    let mut components = Vec::new();
    components.extend(header(shape, filling, &mut problems));
    let values = body_values(shape, &filling.parameters, &mut problems);
    let text = filled_in(shape.body(), &values);
    if !values.is_empty() {
        if text.chars().count() > LONGEST_BODY {
            let why = "make the text longer than 1024 characters";
            problems.push(Problem::new("/template_parameters", "too_long", why));
        }
        components.push(json!({"type": "body", "parameters": parameters(&values, shape.is_named())}));
    }
    buttons::fill(shape, filling, &values, &mut components, &mut problems);
    if problems.is_empty() { Ok(Filled { components, text }) } else { Err(problems) }
}

/// Completes a template that is sent with components of header and body in Meta's structure: checks
/// them and adds buttons that need no value of the caller. Paths begin as those of [`fill`].
pub fn complete(shape: Shape<'_>, sent: &[Value]) -> Result<Filled, Vec<Problem>> {
    let mut problems = unsupported(shape);
    let given = |kind: &str| {
        let component = sent.iter().find(|component| is(component, "type", kind));
        component.and_then(|component| component["parameters"].as_array()).map_or(&[][..], Vec::as_slice)
    };
    let kind = given("header").first().map(|parameter| text(parameter, "type"));
    match (header_kind(shape), kind) {
        (wanted, given) if wanted.as_deref() == given => {}
        (None, Some(_)) => {
            problems.push(Problem::new("/header_params", "wrong_header", "the template has no header to fill"));
        }
        (Some(wanted), None) => {
            let why = format!("is required: the template has a header of type {wanted}");
            problems.push(Problem::new("/header_params", "missing_parameter", why));
        }
        (Some(wanted), Some(_)) => {
            let why = format!("the template has a header of type {wanted}");
            problems.push(Problem::new("/header_type", "wrong_header", why));
        }
        (None, None) => {}
    }
    let texts = given("body").iter().map(|parameter| text(parameter, "text").to_owned());
    let names = given("body").iter().map(|parameter| parameter["parameter_name"].as_str().map(str::to_owned));
    let parameters = match names.collect::<Option<Vec<_>>>() {
        Some(names) if !names.is_empty() => Parameters::Named(names.into_iter().zip(texts).collect()),
        _ => Parameters::List(texts.collect()),
    };
    let values = body_values(shape, &parameters, &mut problems);
    let mut components = sent.to_vec();
    buttons::fill(shape, &Filling::default(), &values, &mut components, &mut problems);
    let text = filled_in(shape.body(), &values);
    if problems.is_empty() { Ok(Filled { components, text }) } else { Err(problems) }
}

/// Components that no send can fill.
fn unsupported(shape: Shape<'_>) -> Vec<Problem> {
    let found = UNSUPPORTED.iter().filter(|(kind, _)| shape.component(kind).is_some());
    found.map(|(_, why)| Problem::new("/template", "unsupported_template", *why)).collect()
}

/// Type of the parameter that the header needs, if it needs one.
fn header_kind(shape: Shape<'_>) -> Option<String> {
    let header = shape.component("HEADER")?;
    let format = header.get("format").and_then(Value::as_str).unwrap_or("TEXT").to_ascii_lowercase();
    let fixed = format == "text" && variables(text(header, "text")).is_empty();
    (!fixed).then_some(format)
}

/// Fills the variables of a text in one pass: a value is never scanned for variables.
fn filled_in(text: &str, values: &[(String, String)]) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let found = after.split_once("}}").and_then(|(name, behind)| {
            let (_, value) = values.iter().find(|(known, _)| known == name.trim())?;
            Some((value, behind))
        });
        match found {
            Some((value, behind)) => {
                out.push_str(value);
                rest = behind;
            }
            None => {
                out.push_str("{{");
                rest = after;
            }
        }
    }
    out + rest
}

fn parameters(values: &[(String, String)], named: bool) -> Vec<Value> {
    values.iter().map(|(name, value)| text_parameter(named.then_some(name), value)).collect()
}

/// A value as Meta takes it: by position, or by the name of its variable.
pub fn text_parameter(name: Option<&String>, value: &str) -> Value {
    match name {
        Some(name) => json!({"type": "text", "parameter_name": name, "text": value}),
        None => json!({"type": "text", "text": value}),
    }
}

/// Values of the body's variables, in Meta's order.
fn body_values(shape: Shape<'_>, given: &Parameters, problems: &mut Vec<Problem>) -> Vec<(String, String)> {
    const AT: &str = "/template_parameters";
    let mut names = shape.body_variables();
    if !shape.is_named() {
        names.sort_by_key(|name| name.parse::<u32>().unwrap_or(u32::MAX));
    }
    let count = match given {
        Parameters::List(list) => list.len(),
        Parameters::Named(named) => named.len(),
    };
    if count != names.len() {
        let why = format!("Template requires {} parameters, but {count} were provided", names.len());
        problems.push(Problem::new(AT, "wrong_parameter_count", why));
        return Vec::new();
    }
    let mut values = Vec::new();
    match given {
        Parameters::List(list) if shape.is_named() && !list.is_empty() => {
            let why = format!("must be an object with {}", names.join(", "));
            problems.push(Problem::new(AT, "wrong_parameters", why));
        }
        Parameters::List(list) => {
            values = names.iter().zip(list).map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        }
        Parameters::Named(named) => {
            for name in &names {
                match named.get(*name) {
                    Some(value) => values.push(((*name).to_owned(), value.clone())),
                    None => problems.push(Problem::new(format!("{AT}/{name}"), "missing_parameter", "is required")),
                }
            }
        }
    }
    for (place, (name, value)) in values.iter().enumerate() {
        let at = if matches!(given, Parameters::List(_)) { place.to_string() } else { name.clone() };
        plain(value, &format!("{AT}/{at}"), problems);
    }
    values
}

fn header(shape: Shape<'_>, filling: &Filling, problems: &mut Vec<Problem>) -> Option<Value> {
    let component = shape.component("HEADER");
    let format = component.map(|header| header.get("format").and_then(Value::as_str).unwrap_or("TEXT"));
    let format = format.unwrap_or_default().to_ascii_lowercase();
    if let Some(meant) = &filling.header_type
        && *meant != format
    {
        let has = if format.is_empty() { "no header".into() } else { format!("a header of type {format}") };
        problems.push(Problem::new("/header_type", "wrong_header", format!("the template has {has}")));
        return None;
    }
    if format != "location" && filling.location.is_some() {
        problems.push(Problem::new("/location_params", "wrong_header", "the template's header shows no place"));
    }
    match format.as_str() {
        "text" => text_header(shape, component?, filling, problems),
        "image" | "video" | "document" => media_header(&format, filling, problems),
        "location" => place_header(filling, problems),
        _ => {
            if filling.header.is_some() {
                problems.push(Problem::new("/header_params", "wrong_header", "the template has no header to fill"));
            }
            None
        }
    }
}

fn text_header(shape: Shape<'_>, component: &Value, filling: &Filling, problems: &mut Vec<Problem>) -> Option<Value> {
    const AT: &str = "/header_params";
    let names = distinct(text(component, "text"));
    let Some(name) = names.first() else {
        if filling.header.is_some() {
            problems.push(Problem::new(AT, "wrong_header", "the template's header has nothing to fill"));
        }
        return None;
    };
    let value = match &filling.header {
        Some(Header::Value(value)) => Some(value),
        Some(Header::Named(named)) if named.len() == 1 => named.get(*name),
        Some(Header::Named(_)) | None => None,
    };
    let Some(value) = value else {
        let why = format!("must be a value for the header's variable {name}");
        problems.push(Problem::new(AT, "missing_parameter", why));
        return None;
    };
    plain(value, AT, problems);
    let values = [((*name).to_owned(), value.clone())];
    Some(json!({"type": "header", "parameters": parameters(&values, shape.is_named())}))
}

fn media_header(kind: &str, filling: &Filling, problems: &mut Vec<Problem>) -> Option<Value> {
    let link = match &filling.header {
        Some(Header::Value(link)) if link.starts_with("https://") || link.starts_with("http://") => link,
        _ => {
            let why = format!("must be a link to the {kind} of the header");
            problems.push(Problem::new("/header_params", "missing_parameter", why));
            return None;
        }
    };
    let mut file = json!({ "link": link });
    if let Some(name) = filling.header_filename.as_ref().filter(|_| kind == "document") {
        file["filename"] = json!(name);
    }
    Some(json!({"type": "header", "parameters": [{"type": kind, kind: file}]}))
}

fn place_header(filling: &Filling, problems: &mut Vec<Problem>) -> Option<Value> {
    let Some(place) = &filling.location else {
        problems.push(Problem::new("/location_params", "missing_parameter", "must be the place of the header"));
        return None;
    };
    for (key, value, most) in [("latitude", place.latitude, 90.0), ("longitude", place.longitude, 180.0)] {
        if !value.is_some_and(|value| (-most..=most).contains(&value)) {
            let why = format!("must be from -{most} to {most}");
            problems.push(Problem::new(format!("/location_params/{key}"), "invalid_parameter", why));
        }
    }
    let mut location = Map::new();
    location.insert("latitude".into(), json!(place.latitude));
    location.insert("longitude".into(), json!(place.longitude));
    for (key, value) in [("name", &place.name), ("address", &place.address)] {
        if let Some(value) = value {
            location.insert(key.into(), json!(value));
        }
    }
    Some(json!({"type": "header", "parameters": [{"type": "location", "location": location}]}))
}

#[cfg(test)]
mod tests;
