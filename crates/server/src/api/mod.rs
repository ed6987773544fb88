//! The API frame of all REST resources: reading bodies and queries, building answers, and the
//! document that describes both.
//!
//! Document and behaviour have one source. A handler's request type gives its schema to the
//! document, and the same schema checks input. The router's list of handlers is the document's list
//! of operations.

pub(crate) mod answer;
pub(crate) mod body;
pub(crate) mod client_address;
pub(crate) mod cookie;
pub(crate) mod cursor;
pub(crate) mod document;
pub(crate) mod facts;
pub(crate) mod form;
pub(crate) mod if_match;
pub(crate) mod json;
pub(crate) mod large_bodies;
pub(crate) mod last_uses;
pub(crate) mod problems;
pub(crate) mod query;
pub(crate) mod rate;
pub(crate) mod roles;
pub(crate) mod schema;
pub(crate) mod streams;
mod tags;
pub(crate) mod three_state;
pub(crate) mod throttle;
pub(crate) mod unverified;
pub(crate) mod values;
mod window_template;

pub(crate) use answer::{Accepted, Created, Data, Page, Warned};
pub(crate) use body::RequestBody;
pub(crate) use if_match::{IfMatch, Versioned};
pub(crate) use problems::Problems;
pub(crate) use query::{List, Query};
pub(crate) use values::{PhoneNumber, Time, words};
pub(crate) use window_template::WindowTemplateField;
