//! Meta's component structure, read only as far as needed. It is kept as it was written, so that
//! future additions of Meta survive.

use serde_json::Value;

/// Variables are numbers: `{{1}}`, `{{2}}`.
pub const POSITIONAL: &str = "POSITIONAL";
/// Variables are names: `{{guest}}`.
pub const NAMED: &str = "NAMED";

/// Components that are not supported, and why.
pub(super) const UNSUPPORTED: [(&str, &str); 2] = [
    ("CAROUSEL", "carousels are not supported: their cards cannot be filled"),
    ("LIMITED_TIME_OFFER", "limited-time offers are not supported: their end cannot be given"),
];

#[derive(Debug, Clone, Copy)]
pub struct Shape<'a> {
    /// As Meta writes them.
    pub components: &'a [Value],
    /// [`POSITIONAL`] or [`NAMED`].
    pub format: &'a str,
}

impl<'a> Shape<'a> {
    pub fn is_named(&self) -> bool {
        self.format == NAMED
    }

    /// The component of a type; case is ignored, as at Meta.
    pub fn component(&self, kind: &str) -> Option<&'a Value> {
        self.components.iter().find(|component| is(component, "type", kind))
    }

    /// Text of the body with its placeholders; empty if there is no body. A body without a text is
    /// that of an authentication template: WhatsApp writes its sentence around the code.
    pub fn body(&self) -> &'a str {
        let Some(body) = self.component("BODY") else { return "" };
        Some(text(body, "text")).filter(|text| !text.is_empty()).unwrap_or("{{1}}")
    }

    pub fn body_variables(&self) -> Vec<&'a str> {
        distinct(self.body())
    }

    pub fn buttons(&self) -> &'a [Value] {
        let buttons = self.component("BUTTONS").and_then(|component| component.get("buttons"));
        buttons.and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

/// The text of a field; empty if there is none.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// True if a field is this word, in any case.
pub(super) fn is(value: &Value, key: &str, word: &str) -> bool {
    text(value, key).eq_ignore_ascii_case(word)
}

/// Variables of a text, in order, with repetitions: `1` for `{{1}}`.
pub(super) fn variables(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else { break };
        names.push(name.trim());
        rest = behind;
    }
    names
}

/// Variables of a text, each once, in the order of their first occurrence.
pub(super) fn distinct(text: &str) -> Vec<&str> {
    let mut names = variables(text);
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(*name));
    names
}
