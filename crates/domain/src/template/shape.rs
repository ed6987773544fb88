//! Meta's component structure, read as far as it decides something. It is kept as it was written: what Meta adds to it
//! tomorrow must survive us.

use serde_json::Value;

/// Variables are numbers: `{{1}}`, `{{2}}`.
pub const POSITIONAL: &str = "POSITIONAL";
/// Variables are names: `{{guest}}`.
pub const NAMED: &str = "NAMED";

/// A template's components and how its variables are called.
#[derive(Debug, Clone, Copy)]
pub struct Shape<'a> {
    /// As Meta writes them.
    pub components: &'a [Value],
    /// [`POSITIONAL`] or [`NAMED`].
    pub format: &'a str,
}

impl<'a> Shape<'a> {
    /// Whether variables have names.
    pub fn is_named(&self) -> bool {
        self.format == NAMED
    }

    /// The component of a type, which is compared without case as Meta does.
    pub fn component(&self, kind: &str) -> Option<&'a Value> {
        self.components.iter().find(|component| is(component, "type", kind))
    }

    /// The text of the body with its placeholders; empty if there is none.
    pub fn body(&self) -> &'a str {
        self.component("BODY").map_or("", |body| text(body, "text"))
    }

    /// The variables of the body.
    pub fn body_variables(&self) -> Vec<&'a str> {
        distinct(self.body())
    }

    /// The buttons, in their order.
    pub fn buttons(&self) -> &'a [Value] {
        let buttons = self.component("BUTTONS").and_then(|component| component.get("buttons"));
        buttons.and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

/// The text of a field; empty if there is none.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a field is this word, in any case.
pub(super) fn is(value: &Value, key: &str, word: &str) -> bool {
    text(value, key).eq_ignore_ascii_case(word)
}

/// The variables of a text as they stand there, one after the other: `1` for `{{1}}`.
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

/// The variables of a text, each once, in the order in which they first appear.
pub(super) fn distinct(text: &str) -> Vec<&str> {
    let mut names = variables(text);
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(*name));
    names
}
