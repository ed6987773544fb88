//! WhatsApp templates: structure, status at Meta, rules, and filling.

mod fill;
mod rules;
mod shape;
mod status;

pub use fill::{
    Filled, Filling, Header, LocationHeader, MOST_PARAMETERS, Parameters, fill, text_of, text_parameter, unfit,
};
pub use rules::{CATEGORIES, Draft, Stage, problems};
pub use shape::{NAMED, POSITIONAL, Shape};
pub use status::{TemplateStatus, Unconfirmed};
