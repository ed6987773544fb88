//! WhatsApp templates: structure, status at Meta, rules, and filling.

mod buttons;
mod fill;
mod filling;
mod rules;
mod shape;
mod status;

pub use fill::{Filled, complete, fill, text_parameter};
pub use filling::{Filling, Header, LocationHeader, MOST_PARAMETERS, Parameters, unfit};
pub use rules::{CATEGORIES, Draft, Stage, problems};
pub use shape::{NAMED, POSITIONAL, Shape};
pub use status::{TemplateStatus, Unconfirmed};
