//! Rules that a template must meet before Meta reviews it (docs/spec/whatsapp-cloud-api.md 2.4). A
//! draft may lack examples; what it has must be valid at once.

use super::shape::{NAMED, POSITIONAL, Shape, UNSUPPORTED, distinct, is, text, variables};
use crate::Problem;
use serde_json::Value;
use std::collections::HashSet;

/// Meta's template categories.
pub const CATEGORIES: [&str; 3] = ["MARKETING", "UTILITY", "AUTHENTICATION"];

const HEADER_FORMATS: [&str; 5] = ["TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION"];
const COMPONENTS: [&str; 4] = ["HEADER", "BODY", "FOOTER", "BUTTONS"];
const BUTTONS: [&str; 9] =
    ["QUICK_REPLY", "URL", "PHONE_NUMBER", "VOICE_CALL", "COPY_CODE", "OTP", "FLOW", "CATALOG", "MPM"];
const LONGEST_NAME: usize = 512;
const LONGEST_SMALL: usize = 60;
const LONGEST_BODY: usize = 1_024;
const MOST_BUTTONS: usize = 10;
const LONGEST_BUTTON: usize = 25;
const LONGEST_URL: usize = 2_000;
const LONGEST_CODE: usize = 15;
const LONGEST_PHONE: usize = 20;

/// Required completeness of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Examples may be missing.
    Draft,
    /// For review by Meta: each variable and each media needs an example.
    Submission,
}

#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    pub name: &'a str,
    /// For example `pt_BR`.
    pub language: &'a str,
    /// One of [`CATEGORIES`].
    pub category: &'a str,
    pub shape: Shape<'a>,
}

/// Reports all problems; paths begin at the template: `/components/0/text`.
pub fn problems(draft: &Draft<'_>, stage: Stage) -> Vec<Problem> {
    let mut found = Found { problems: Vec::new(), stage };
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if draft.name.is_empty() || draft.name.len() > LONGEST_NAME || !draft.name.bytes().all(fits) {
        found.wrong("/name", "must be 1 to 512 lower-case letters, digits and underscores");
    }
    if !is_language(draft.language) {
        found.wrong("/language_code", "must be a language code such as en_US");
    }
    if !CATEGORIES.contains(&draft.category) {
        found.wrong("/category", "must be MARKETING, UTILITY or AUTHENTICATION");
    }
    if ![POSITIONAL, NAMED].contains(&draft.shape.format) {
        found.wrong("/parameter_format", "must be NAMED or POSITIONAL");
    }
    components(&mut found, draft);
    found.problems
}

/// Two or three letters, then possibly a country or a script: `en`, `pt_BR`, `zh_CN`.
fn is_language(code: &str) -> bool {
    let (language, country) =
        code.split_once('_').map_or((code, None), |(language, country)| (language, Some(country)));
    (2..=3).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_lowercase())
        && country.is_none_or(|part| (2..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

struct Found {
    problems: Vec<Problem>,
    stage: Stage,
}

impl Found {
    fn wrong(&mut self, path: impl Into<String>, why: impl Into<String>) {
        self.problems.push(Problem::new(path, "invalid_format", why));
    }

    fn too_long(&mut self, path: impl Into<String>, most: usize) {
        self.problems.push(Problem::new(path, "too_long", format!("may have at most {most} characters")));
    }

    /// A required text.
    fn text(&mut self, value: &Value, at: &str, key: &str, longest: usize) {
        let (given, path) = (text(value, key), format!("{at}/{key}"));
        if given.trim().is_empty() {
            self.problems.push(Problem::new(path, "blank", "can't be blank"));
        } else if given.chars().count() > longest {
            self.too_long(path, longest);
        }
    }

    /// `count` texts under this key of `example`. A draft may have none yet.
    fn examples(&mut self, value: &Value, at: &str, key: &str, names: &[&str]) {
        let (given, path) = (value.pointer(&format!("/example/{key}")), format!("{at}/example/{key}"));
        let missing = given.is_none_or(Value::is_null);
        if names.is_empty() || (missing && self.stage == Stage::Draft) {
            return;
        }
        if missing {
            let why = "is needed: WhatsApp wants an example of each variable and file";
            return self.problems.push(Problem::new(path, "missing_example", why));
        }
        let list = given.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let fits = if key.ends_with("_named_params") {
            let named: HashSet<&str> = list.iter().map(|one| text(one, "param_name")).collect();
            let told = list.iter().all(|one| !text(one, "example").trim().is_empty());
            told && list.len() == names.len() && names.iter().all(|name| named.contains(name))
        } else {
            // The body's examples are a list of their own.
            let list = if key == "body_text" {
                list.first().and_then(Value::as_array).map_or(&[][..], Vec::as_slice)
            } else {
                list
            };
            list.len() == names.len() && list.iter().all(|one| one.as_str().is_some_and(|one| !one.trim().is_empty()))
        };
        if !fits {
            let count = names.len();
            let why = format!("must have {count} example{}, one for each variable", if count == 1 { "" } else { "s" });
            self.problems.push(Problem::new(path, "wrong_example_count", why));
        }
    }

    /// Variables must be numbered in order, or have valid names.
    fn variables(&mut self, text: &str, path: &str, named: bool) {
        let all = variables(text);
        let once = distinct(text);
        if text.matches("{{").count() != all.len() || text.matches("}}").count() != all.len() {
            return self.wrong(path, "has braces that do not belong together");
        }
        if named {
            let is_name = |name: &str| {
                name.starts_with(|c: char| c.is_ascii_lowercase())
                    && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            };
            if !once.iter().all(|name| is_name(name)) {
                self.wrong(path, "must have variables of lower-case letters, digits and underscores");
            }
        } else if !once.iter().enumerate().all(|(at, name)| *name == (at + 1).to_string()) {
            self.wrong(path, "must have variables numbered {{1}}, {{2}}, … in the order of the text");
        }
        if all.len() != once.len() {
            self.wrong(path, "must have each variable once");
        }
    }
}

fn components(found: &mut Found, draft: &Draft<'_>) {
    let named = draft.shape.is_named();
    let mut seen = HashSet::new();
    for (place, component) in draft.shape.components.iter().enumerate() {
        let at = format!("/components/{place}");
        let kind = text(component, "type").to_ascii_uppercase();
        if let Some((_, why)) = UNSUPPORTED.iter().find(|(name, _)| *name == kind) {
            found.wrong(format!("{at}/type"), *why);
        } else if !COMPONENTS.contains(&kind.as_str()) {
            found.wrong(format!("{at}/type"), "must be HEADER, BODY, FOOTER or BUTTONS");
        } else if !seen.insert(kind.clone()) {
            found.wrong(format!("{at}/type"), "may stand there once");
        }
        match kind.as_str() {
            "HEADER" => header(found, component, &at, named),
            "BODY" => body(found, component, &at, named, draft.category),
            "FOOTER" => footer(found, component, &at),
            "BUTTONS" => buttons(found, component, &at),
            _ => {}
        }
    }
    if !seen.contains("BODY") {
        found.problems.push(Problem::new("/components", "no_body", "must have a BODY"));
    }
}

fn header(found: &mut Found, component: &Value, at: &str, named: bool) {
    let format = component.get("format").and_then(Value::as_str).unwrap_or("TEXT").to_ascii_uppercase();
    match format.as_str() {
        "TEXT" => {
            found.text(component, at, "text", LONGEST_SMALL);
            let (text, path) = (text(component, "text"), format!("{at}/text"));
            found.variables(text, &path, named);
            let names = distinct(text);
            if names.len() > 1 {
                found.wrong(&path, "may have one variable");
            }
            let key = if named { "header_text_named_params" } else { "header_text" };
            found.examples(component, at, key, &names);
        }
        "IMAGE" | "VIDEO" | "DOCUMENT" => found.examples(component, at, "header_handle", &["file"]),
        "LOCATION" => {}
        _ => found.wrong(format!("{at}/format"), format!("must be one of {}", HEADER_FORMATS.join(", "))),
    }
}

fn body(found: &mut Found, component: &Value, at: &str, named: bool, category: &str) {
    // WhatsApp writes the body of an authentication template itself.
    if category == "AUTHENTICATION" && component.get("text").is_none_or(Value::is_null) {
        return;
    }
    found.text(component, at, "text", LONGEST_BODY);
    let (whole, path) = (text(component, "text"), format!("{at}/text"));
    let trimmed = whole.trim();
    found.variables(whole, &path, named);
    if trimmed.starts_with("{{") || trimmed.ends_with("}}") {
        found.wrong(&path, "may not begin or end with a variable");
    }
    let squeezed: String = whole.chars().filter(|c| !c.is_whitespace()).collect();
    if squeezed.contains("}}{{") {
        found.wrong(&path, "must have text between two variables");
    }
    let key = if named { "body_text_named_params" } else { "body_text" };
    found.examples(component, at, key, &distinct(whole));
}

fn footer(found: &mut Found, component: &Value, at: &str) {
    let code = component.get("code_expiration_minutes").is_some();
    if !code {
        found.text(component, at, "text", LONGEST_SMALL);
    }
    if !variables(text(component, "text")).is_empty() {
        found.wrong(format!("{at}/text"), "may not have variables");
    }
}

fn buttons(found: &mut Found, component: &Value, at: &str) {
    let at = format!("{at}/buttons");
    let list = component.get("buttons").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if list.is_empty() || list.len() > MOST_BUTTONS {
        found.wrong(&at, "must be 1 to 10 buttons");
    }
    for (kind, most) in [("URL", 2), ("PHONE_NUMBER", 1), ("COPY_CODE", 1), ("OTP", 1), ("CATALOG", 1), ("MPM", 1)] {
        if list.iter().filter(|button| is(button, "type", kind)).count() > most {
            found.wrong(&at, format!("may have {most} of type {kind}"));
        }
    }
    for (place, button) in list.iter().enumerate() {
        let at = format!("{at}/{place}");
        let kind = text(button, "type").to_ascii_uppercase();
        match kind.as_str() {
            "COPY_CODE" => code(found, button, &at),
            "OTP" => {}
            "QUICK_REPLY" | "VOICE_CALL" | "CATALOG" | "MPM" => found.text(button, &at, "text", LONGEST_BUTTON),
            "FLOW" => {
                found.text(button, &at, "text", LONGEST_BUTTON);
                if ["flow_id", "flow_name", "flow_json"].iter().all(|key| button.get(key).is_none_or(Value::is_null)) {
                    found.wrong(&at, "must name its flow: flow_id, flow_name or flow_json");
                }
            }
            "PHONE_NUMBER" => {
                found.text(button, &at, "text", LONGEST_BUTTON);
                found.text(button, &at, "phone_number", LONGEST_PHONE);
            }
            "URL" => {
                found.text(button, &at, "text", LONGEST_BUTTON);
                link(found, button, &at);
            }
            _ => found.wrong(format!("{at}/type"), format!("must be one of {}", BUTTONS.join(", "))),
        }
        if kind != "URL" && !variables(text(button, "text")).is_empty() {
            found.wrong(format!("{at}/text"), "may not have variables");
        }
    }
}

fn code(found: &mut Found, button: &Value, at: &str) {
    let example = button.get("example").and_then(|example| example.as_str().or_else(|| example.get(0)?.as_str()));
    match example {
        Some(example) if example.chars().count() > LONGEST_CODE => {
            found.too_long(format!("{at}/example"), LONGEST_CODE)
        }
        None if found.stage == Stage::Submission => {
            let why = "is needed: WhatsApp wants an example of the code";
            found.problems.push(Problem::new(format!("{at}/example"), "missing_example", why));
        }
        _ => {}
    }
}

fn link(found: &mut Found, button: &Value, at: &str) {
    found.text(button, at, "url", LONGEST_URL);
    let (url, path) = (text(button, "url"), format!("{at}/url"));
    let names = variables(url);
    if !(url.is_empty() || url.starts_with("https://") || url.starts_with("http://")) {
        found.wrong(&path, "must begin with https:// or http://");
    }
    if names.len() > 1 || (names.len() == 1 && !url.ends_with("}}")) {
        found.wrong(&path, "may have one variable, at its end");
    }
    let given = button.get("example").and_then(Value::as_array).is_some_and(|list| list.len() == 1);
    if !names.is_empty() && !given && (found.stage == Stage::Submission || button.get("example").is_some()) {
        let why = "must have one example, the whole link";
        found.problems.push(Problem::new(format!("{at}/example"), "missing_example", why));
    }
}

#[cfg(test)]
mod tests;
