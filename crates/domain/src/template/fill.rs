//! Fills a template (docs/spec/whatsapp-cloud-api.md 2.2): exactly its variables, within WhatsApp's
//! limits. The result is Meta's component structure and the text that a person will read.

use super::shape::{Shape, distinct, is, text, variables};
use crate::Problem;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Values of one send.
pub const MOST_PARAMETERS: usize = 60;
const LONGEST_PARAMETER: usize = 1_024;
const LONGEST_BODY: usize = 1_024;

/// Values of the body's variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parameters {
    /// In the order of the numbers.
    List(Vec<String>),
    /// By name, or by number.
    Named(BTreeMap<String, String>),
}

impl Default for Parameters {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Header {
    /// Value of the only variable, or the link to the media.
    Value(String),
    /// Value of the only variable, by name.
    Named(BTreeMap<String, String>),
}

/// The location that a header shows.
#[derive(Debug, Clone, PartialEq)]
pub struct LocationHeader {
    /// −90 to 90.
    pub latitude: Option<f64>,
    /// −180 to 180.
    pub longitude: Option<f64>,
    pub name: Option<String>,
    pub address: Option<String>,
}

/// Values that a send brings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filling {
    pub parameters: Parameters,
    /// `text`, `image`, `video` or `document`, if the caller gives it.
    pub header_type: Option<String>,
    pub header: Option<Header>,
    /// File name of a document.
    pub header_filename: Option<String>,
    /// For a header that shows a location.
    pub location: Option<LocationHeader>,
    /// Ends of links, by the button's position from 0.
    pub button_urls: BTreeMap<String, String>,
    /// Payloads returned when a button is tapped, by the button's position from 0.
    pub button_payloads: BTreeMap<String, String>,
    /// Codes to copy, by the button's position from 0.
    pub button_codes: BTreeMap<String, String>,
}

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
    let mut problems = Vec::new();
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
    buttons(shape, filling, &values, &mut components, &mut problems);
    if problems.is_empty() { Ok(Filled { components, text }) } else { Err(problems) }
}

/// The text of a template that is sent with Meta's own components; `None` if its body's parameters
/// do not match.
pub fn text_of(shape: Shape<'_>, components: &[Value]) -> Option<String> {
    let body = components.iter().find(|component| component["type"] == "body");
    let given = body.and_then(|body| body["parameters"].as_array()).map(Vec::as_slice).unwrap_or_default();
    let of = |field: &str| given.iter().map(|it| it[field].as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
    let texts = of("text")?;
    let parameters = match of("parameter_name") {
        Some(names) if !names.is_empty() => Parameters::Named(names.into_iter().zip(texts).collect()),
        _ => Parameters::List(texts),
    };
    let mut problems = Vec::new();
    let values = body_values(shape, &parameters, &mut problems);
    problems.is_empty().then(|| filled_in(shape.body(), &values))
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

fn plain(value: &str, at: &str, problems: &mut Vec<Problem>) {
    if let Some((_, why)) = unfit(value) {
        problems.push(Problem::new(at, "invalid_parameter", why));
    }
}

/// Code and message for an invalid value: WhatsApp accepts one line of text without wide gaps.
pub fn unfit(value: &str) -> Option<(&'static str, String)> {
    if value.trim().is_empty() {
        Some(("blank", "can't be blank".into()))
    } else if value.contains(['\n', '\r', '\t']) || value.contains("     ") {
        Some(("invalid", "may not have line breaks, tabs or more than four spaces in a row".into()))
    } else if value.chars().count() > LONGEST_PARAMETER {
        Some(("too_long", format!("may have at most {LONGEST_PARAMETER} characters")))
    } else {
        None
    }
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

fn buttons(
    shape: Shape<'_>,
    filling: &Filling,
    body: &[(String, String)],
    components: &mut Vec<Value>,
    problems: &mut Vec<Problem>,
) {
    let list = shape.buttons();
    // A one-time password is in the body and in the button; most callers send it once.
    let otp = |button: &Value| is(button, "type", "OTP") || text(button, "url").contains("otp_type=");
    for (place, button) in list.iter().enumerate() {
        let index = place.to_string();
        let mut push = |sub_type: &str, parameter: Value| {
            components.push(json!({"type": "button", "sub_type": sub_type, "index": index, "parameters": [parameter]}));
        };
        if otp(button) || (is(button, "type", "URL") && !variables(text(button, "url")).is_empty()) {
            let own = filling.button_urls.get(&index);
            match own.or_else(|| body.first().map(|(_, value)| value).filter(|_| otp(button))) {
                Some(value) => {
                    plain(value, &format!("/button_url_params/{index}"), problems);
                    push("url", json!({"type": "text", "text": value}));
                }
                None => {
                    let why = "must be the end of the button's link";
                    problems.push(Problem::new(format!("/button_url_params/{index}"), "missing_parameter", why));
                }
            }
        } else if is(button, "type", "COPY_CODE") {
            match filling.button_codes.get(&index) {
                Some(code) => {
                    plain(code, &format!("/button_copy_code_params/{index}"), problems);
                    push("copy_code", json!({"type": "coupon_code", "coupon_code": code}));
                }
                None => {
                    let at = format!("/button_copy_code_params/{index}");
                    problems.push(Problem::new(at, "missing_parameter", "must be the code to copy"));
                }
            }
        } else if let Some(payload) = filling.button_payloads.get(&index).filter(|_| is(button, "type", "QUICK_REPLY"))
        {
            push("quick_reply", json!({"type": "payload", "payload": payload}));
        }
    }
    let link = |button: &Value| otp(button) || (is(button, "type", "URL") && text(button, "url").contains("{{"));
    unknown_buttons("button_url_params", list, &filling.button_urls, link, problems);
    let reply = |button: &Value| is(button, "type", "QUICK_REPLY");
    unknown_buttons("button_quick_reply_payloads", list, &filling.button_payloads, reply, problems);
    let code = |button: &Value| is(button, "type", "COPY_CODE");
    unknown_buttons("button_copy_code_params", list, &filling.button_codes, code, problems);
}

/// Reports positions without a button of the kind.
fn unknown_buttons(
    key: &str,
    list: &[Value],
    given: &BTreeMap<String, String>,
    fits: impl Fn(&Value) -> bool,
    problems: &mut Vec<Problem>,
) {
    for index in given.keys() {
        let button = index.parse::<usize>().ok().and_then(|place| list.get(place));
        if !button.is_some_and(&fits) {
            let why = "the template has no such button there; positions begin with 0";
            problems.push(Problem::new(format!("/{key}/{index}"), "unknown_button", why));
        }
    }
}

#[cfg(test)]
mod tests;
