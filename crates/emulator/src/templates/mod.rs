//! Message templates: creation, review, and filling at a send.

mod authentication;
mod check;
mod fill;
mod review;
mod store;

pub(crate) use authentication::written_by_whatsapp;
pub(crate) use check::check_new;
pub(crate) use fill::fill;
pub(crate) use store::{Approval, Template, Templates};

/// Names of the variables in a text, in order: `1` for `{{1}}`.
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
