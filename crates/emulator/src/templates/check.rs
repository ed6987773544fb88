//! Checks of a new or edited template before its review.

use std::collections::BTreeSet;

use serde_json::Value;

use super::variables;
use crate::graph::GraphError;

const CATEGORIES: [&str; 3] = ["AUTHENTICATION", "MARKETING", "UTILITY"];
const BUTTONS: [&str; 9] =
    ["QUICK_REPLY", "URL", "PHONE_NUMBER", "VOICE_CALL", "COPY_CODE", "OTP", "FLOW", "CATALOG", "MPM"];
const TOO_LONG: u32 = 2_388_040;
const VARIABLE_AT_AN_END: u32 = 2_388_299;
const BAD_VARIABLES: u32 = 2_388_293;

/// Checks a template. `named` selects named variables instead of positional ones.
pub(crate) fn check_new(category: &str, named: bool, components: &[Value]) -> Result<(), GraphError> {
    if !CATEGORIES.contains(&category) {
        return Err(refused(None, "Param category must be AUTHENTICATION, MARKETING or UTILITY."));
    }
    let mut seen = BTreeSet::new();
    for component in components {
        let kind = component["type"].as_str().unwrap_or_default();
        if !seen.insert(kind) {
            return Err(refused(None, format!("Component {kind} occurs twice.")));
        }
        match kind {
            "HEADER" => header(component)?,
            "BODY" if category == "AUTHENTICATION" && component["text"].is_null() => {}
            "BODY" => body(component, named)?,
            "FOOTER" if component["code_expiration_minutes"].is_u64() => {}
            "FOOTER" => short(component, "FOOTER", 60, 0)?,
            "BUTTONS" => buttons(component)?,
            "CAROUSEL" | "LIMITED_TIME_OFFER" => {}
            other => return Err(refused(None, format!("Component type {other} is unknown."))),
        }
    }
    if !seen.contains("BODY") && category != "AUTHENTICATION" {
        return Err(refused(None, "A template needs a BODY component."));
    }
    Ok(())
}

fn refused(subcode: Option<u32>, details: impl Into<String>) -> GraphError {
    GraphError::template(subcode, details)
}

fn header(component: &Value) -> Result<(), GraphError> {
    match component["format"].as_str().unwrap_or("TEXT") {
        "TEXT" => {
            short(component, "HEADER", 60, 1)?;
            let text = component["text"].as_str().unwrap_or_default();
            example(!variables(text).is_empty(), &component["example"]["header_text"], "header_text")
        }
        "IMAGE" | "VIDEO" | "DOCUMENT" => example(true, &component["example"]["header_handle"], "header_handle"),
        "LOCATION" => Ok(()),
        other => Err(refused(None, format!("HEADER format {other} is unknown."))),
    }
}

fn body(component: &Value, named: bool) -> Result<(), GraphError> {
    short(component, "BODY", 1_024, usize::MAX)?;
    let text = component["text"].as_str().unwrap_or_default().trim();
    let names = variables(text);
    if text.starts_with("{{") || text.ends_with("}}") {
        return Err(refused(Some(VARIABLE_AT_AN_END), "Variables can't be at the start or end of the template."));
    }
    let positions = names.iter().enumerate().all(|(at, name)| name.parse() == Ok(at + 1));
    if text.contains("}}{{") || (!named && !positions) {
        return Err(refused(Some(BAD_VARIABLES), "Variables must be numbered from 1 and have text between them."));
    }
    if named {
        let words = |name: &&str| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !names.iter().all(words) {
            return Err(refused(
                Some(BAD_VARIABLES),
                "Named variables have lower case letters, digits and underscores.",
            ));
        }
        return example(!names.is_empty(), &component["example"]["body_text_named_params"], "body_text_named_params");
    }
    example(!names.is_empty(), &component["example"]["body_text"], "body_text")
}

fn short(component: &Value, what: &str, longest: usize, most: usize) -> Result<(), GraphError> {
    let text = component["text"].as_str().unwrap_or_default();
    if text.is_empty() {
        return Err(refused(None, format!("{what} needs a text.")));
    }
    if text.chars().count() > longest {
        return Err(refused(Some(TOO_LONG), format!("{what} may have at most {longest} characters.")));
    }
    if variables(text).len() > most {
        return Err(refused(Some(BAD_VARIABLES), format!("{what} may have at most {most} variables.")));
    }
    Ok(())
}

fn example(needed: bool, given: &Value, name: &str) -> Result<(), GraphError> {
    let there = given.as_array().is_some_and(|list| !list.is_empty());
    if needed && !there {
        return Err(refused(None, format!("Variables and media need example.{name}.")));
    }
    Ok(())
}

fn buttons(component: &Value) -> Result<(), GraphError> {
    let list = component["buttons"].as_array().map_or(&[][..], Vec::as_slice);
    if list.is_empty() || list.len() > 10 {
        return Err(refused(None, "BUTTONS takes 1 to 10 buttons."));
    }
    for button in list {
        let kind = button["type"].as_str().unwrap_or_default();
        if !BUTTONS.contains(&kind) {
            return Err(refused(None, format!("Button type {kind} is unknown.")));
        }
        if button["text"].as_str().is_some_and(|text| text.chars().count() > 25) {
            return Err(refused(Some(TOO_LONG), "A button's text may have at most 25 characters."));
        }
        let url = button["url"].as_str().unwrap_or_default();
        if kind == "URL" && (url.is_empty() || url.len() > 2_000 || variables(url).len() > 1) {
            return Err(refused(
                None,
                "A URL button needs a url of at most 2000 characters with at most one variable.",
            ));
        }
    }
    Ok(())
}
