//! Message templates: what the business created, what Meta thinks of it, and how a send fills it.

mod check;
mod fill;
mod store;

pub(crate) use check::check_new;
pub(crate) use fill::fill;
pub(crate) use store::{Approval, Template, Templates};

/// The names of the variables in a text, in order: `1` for `{{1}}`.
pub(crate) fn variables(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else { break };
        names.push(name.trim());
        rest = behind;
    }
    names
}
